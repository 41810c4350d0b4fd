"""What pages are made with: templates that are filled with data, and no more points than a screen shows."""

import json
from pathlib import Path
from typing import Any

import numpy as np

# Where a template has its data.
PLACE = "{{data}}"


def filled(template: Path, data: Any) -> str:
    """Return the template with the data in it as JSON.

    Raises:
        ValueError: there is a NaN or an infinity in the data.
    """
    # Escape each "<", because a "</script>" in a string would end the element that holds the data.
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return template.read_text(encoding="utf-8").replace(PLACE, text)


def thinned(count: int, most: int) -> np.ndarray:
    """Return at most ``most`` of the numbers from 0 to ``count - 1``, evenly spread, both ends included."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)
