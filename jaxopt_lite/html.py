"""What pages are made with: templates that are filled with data, and no more points than a screen shows."""

import json
from pathlib import Path
from typing import Any

import numpy as np

# Where a template has its data.
PLACE = "{{data}}"


def filled(template: Path, data: Any) -> str:
    """The template with the data in it as JSON.

    Raises:
        ValueError: there is a NaN or an infinity in the data.
    """
    # Nothing in JSON but a string can have a "<", and no "</script>" is left to end the element that it stands in.
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return template.read_text(encoding="utf-8").replace(PLACE, text)


def thinned(count: int, most: int) -> np.ndarray:
    """At most so many of the numbers from 0 to ``count - 1``, evenly spread, the first and the last among them."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)
