"""List wrong inputs and what is said to them, one heading a file: tests run each row, tools/pages.py prints them."""

from wrong_inputs import (
    apply_updates,
    gradients,
    gradients_against_parameters,
    gradients_and_state,
    hyperparameters,
    hyperparameters_in_use,
    packing_and_training,
    parameters,
    rules,
    schedules,
    transforms_and_wrappers,
)
from wrong_inputs.names import Row

IN_ORDER = (
    hyperparameters,
    schedules,
    transforms_and_wrappers,
    hyperparameters_in_use,
    parameters,
    gradients_against_parameters,
    gradients,
    gradients_and_state,
    apply_updates,
    packing_and_training,
    rules,
)
WRONG: dict[str, list[Row]] = {str(file.__doc__).rstrip("."): file.ROWS for file in IN_ORDER}
