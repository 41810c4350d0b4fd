"""Tools for pages: templates that are filled with data, and no more points than a screen shows."""

import json
from pathlib import Path
from typing import Any

import numpy as np

# The place of the data in a template.
PLACE = "{{data}}"


def filled(template: Path, data: Any) -> str:
    """Return the template with the data in it as JSON.

    Raises:
        ValueError: the data has a NaN or an infinity.
    """
    # Each "<" is escaped, because a "</script>" in a string would end the element. In JSON only strings can have a "<".
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return template.read_text(encoding="utf-8").replace(PLACE, text)


def thinned(count: int, most: int) -> np.ndarray:
    """Return at most so many numbers from 0 to ``count - 1``, evenly spread, with the first and the last."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)
