"""Helper package of the CX Handbook: `import cxlib as cx`.

Names are looked up on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Public name -> module of `cxlib` that holds it.
_EXPORTS: dict[str, str] = {
    # display
    "Report": "display",
    "suppress_small": "disclosure",
    "value": "display",
    # language
    "format_value": "language",
    "text": "language",
    # plots
    "ROLES": "plots.theme",
    "new_axes": "plots.theme",
    "set_theme": "plots.theme",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'cxlib' has no attribute {name!r}")
    return getattr(import_module(f"cxlib.{_EXPORTS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
