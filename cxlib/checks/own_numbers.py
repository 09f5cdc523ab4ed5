"""Levels, numbers of draws, seeds and lists, checked at the border: one sentence for whatever is none.

Every public function calls the same thing by the same name, so that what it may be has one home.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from numbers import Integral, Real

from cxlib.checks import ParameterError


def check_level(value: object, *, argument: str = "conf_level") -> None:
    """Raise unless `value` is a number between 0 and 1, both left out.

    Raises
    ------
    ParameterError
        Names the argument, an example, and what was found.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < 1:
        raise ParameterError("checks.level", argument=argument, found=repr(value)[:40])


def check_whole(value: object, *, argument: str, least: int = 0) -> None:
    """Raise unless `value` is a whole number from `least` on.

    Raises
    ------
    ParameterError
        Names the argument, the least it may be, and what was found.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ParameterError("checks.whole", argument=argument, least=least, found=repr(value)[:40])


def check_list(value: object, *, argument: str) -> None:
    """Raise for one text where a list belongs: it would be taken letter by letter.

    Raises
    ------
    ParameterError
        Names the argument, and how to write a list of one.
    """
    if isinstance(value, str):
        raise ParameterError("checks.one_text", argument=argument)


def _draws(value: object, *, argument: str) -> None:
    check_whole(value, argument=argument, least=1)


#: What checks an argument, by its name and type; `n_boot` may be 0, which leaves the limits out.
CHECKS: Mapping[tuple[str, str], Callable[..., None]] = {
    ("conf_level", "float"): check_level,
    ("level", "float"): check_level,
    ("n_boot", "int"): check_whole,
    ("draws", "int"): _draws,
    ("seed", "int"): check_whole,
}
#: The same for settings that a function hands on by name.
HANDED_ON = {name: check for (name, _), check in CHECKS.items() if name != "level"}


def checks_of(function: Callable[..., object]) -> Mapping[str, Callable[..., None]]:
    """Find which arguments of a function are checked, and by what.

    Examples
    --------
    >>> def mean(data, *, conf_level: float = 0.95): ...
    >>> list(checks_of(mean))
    ['conf_level']
    """
    found: dict[str, Callable[..., None]] = {}
    for name, each in inspect.signature(function).parameters.items():
        kind = str(each.annotation)
        if kind.startswith("Sequence[") and "| str" not in kind:
            found[name] = check_list
        elif each.kind is inspect.Parameter.VAR_KEYWORD:
            found = HANDED_ON | found
        elif check := CHECKS.get((name, getattr(each.annotation, "__name__", str(each.annotation)))):
            found[name] = check
    return found
