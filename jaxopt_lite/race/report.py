"""The page that ``Result.report`` writes: a template filled with what the race has left, as JSON."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from jaxopt_lite.html import filled, thinned
from jaxopt_lite.race import table
from jaxopt_lite.race.ranking import Ranked
from jaxopt_lite.race.statistics import curve

# Points of a curve; a screen shows no more, and the page stays small.
POINTS = 200


def page(result: Ranked) -> str:
    """Return the report as one file of HTML, which fetches nothing."""
    count = len(result.rows)
    verdict, *line = table.closing(result)
    several = result.losses.shape[1] > 1
    race = {
        "heading": f"A race of {count} optimizer{'s' * (count > 1)}",
        "verdict": f"{verdict[0].upper()}{verdict[1:]}.",
        "summary": table.summary(result),
        "line": line[0] if line else "",
        "sound": bool(line),
        "titles": table.titles(result),
        "rows": [{"lane": row.lane, "cells": table.cells(result, row)} for row in result.rows],
        "measure": f"{result.measure}, {result.better}" + (", mean over seeds" if several else ""),
        "mode": result.mode,
        "longest": int(result.reached.max()),
        "steps": {int(reached): _steps(result, reached) for reached in np.unique(result.reached)},
        "lanes": [_lane(result, i) for i in range(len(result.lanes))],
    }
    return filled(Path(__file__).with_name("report.html"), race)


def _steps(result: Ranked, reached: int) -> list[int]:
    """Return the steps at which the curves of all lanes that got this far have their points."""
    steps, _ = curve(result, int(np.argmax(result.reached == reached)))
    return [int(step) for step in steps[thinned(len(steps), POINTS)]]


def _lane(result: Ranked, i: int) -> dict[str, Any]:
    """Return the data of a lane for the page."""
    lane, scores = result.lanes[i], result.scores[i].astype(float)
    # Means of what has diverged are no numbers, which is what the page is to be told.
    with np.errstate(all="ignore"):
        _, values = curve(result, i)
        score, deviation = scores.mean(), scores.std(ddof=1) if len(scores) > 1 else math.nan
    return {
        "name": lane.name,
        "lr": _number(lane.lr),
        "rate": table.rate(lane.lr),
        "call": lane.call,
        "score": _number(score),
        "deviation": _number(deviation),
        "diverged": bool(result.diverged[i]),
        "reached": int(result.reached[i]),
        "values": [_number(value) for value in values[thinned(len(values), POINTS)]],
    }


def _number(value: float) -> float | None:
    """Return five digits of a number, or None where JSON has none for it."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
