"""The race: which optimizer, at which learning rate, wins on your loss."""

from jaxopt_lite.race.loop import race
from jaxopt_lite.race.result import Result, load

__all__ = ["Result", "load", "race"]
