"""Landscapes: functions of two numbers, the paths that optimizers take down them, and pictures and pages of these."""

from jaxopt_lite.landscapes.functions import LANDSCAPES, Landscape
from jaxopt_lite.landscapes.page import page
from jaxopt_lite.landscapes.pictures import gif, png
from jaxopt_lite.landscapes.trajectories import trajectories

__all__ = ["LANDSCAPES", "Landscape", "gif", "page", "png", "trajectories"]
