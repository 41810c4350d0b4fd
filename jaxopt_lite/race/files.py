"""Read what a user has written: a task or an optimizer in a file, or an optimizer as a call."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import jaxopt_lite
from jaxopt_lite.core import Optimizer, by_name


def read_file(path: Path) -> dict[str, Any]:
    """Return the variables of a Python file, which is run as if it were imported from its folder.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"race: there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # It may import its neighbours, and dataclasses look its module up.
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    spec.loader.exec_module(module)
    return vars(module)


def optimizer_of(text: str, where: str = "") -> Any:
    """Return the optimizer that a text names: ``adam``, ``adam(beta1=0.8)``, or ``my_rule.py:mine``.

    Raises:
        FileNotFoundError, ValueError: there is no such optimizer; ``where`` begins the sentence.
    """
    path, colon, name = text.partition(".py:")
    if colon:
        found = read_file(Path(f"{path}.py"))
        if name not in found:
            raise ValueError(f"{where}there is no {name} in {path}.py")
        return found[name]
    if "(" not in text:
        return by_name(text, where).build()
    public = {name: getattr(jaxopt_lite, name) for name in jaxopt_lite.__all__}
    try:
        opt = eval(text, {"__builtins__": {}}, public)
    except (NameError, SyntaxError) as error:
        raise ValueError(f"{where}{text!r} is no call of an optimizer: {error}") from None
    if not isinstance(opt, Optimizer):
        raise ValueError(f"{where}{text!r} is no call of an optimizer")
    return opt
