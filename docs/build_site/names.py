"""Every public name by wing, read from the stubs as `tests/list_names.py` reads them."""

import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from build_site.places import ROOT

_spec = importlib.util.spec_from_file_location("list_names", ROOT / "tests" / "list_names.py")
assert _spec is not None and _spec.loader is not None
list_names = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(list_names)


class Name(NamedTuple):
    """A public name: its wing, the module below the wing, and itself."""

    wing: str
    module: str
    name: str

    @property
    def page(self) -> str:
        """Page of the site that describes it."""
        return f"reference/{self.wing}/{self.module.replace('/', '.')}"

    @property
    def path(self) -> str:
        """Full name, as the reference files it."""
        return f"cxlib.{self.wing}.{self.name}"

    @property
    def short(self) -> str:
        """How it is written after `import cxlib as cx`."""
        return f"cx.{self.name}" if self.name in top_names() else f"cx.{self.wing}.{self.name}"

    def thing(self) -> Any:
        """Import it."""
        return getattr(importlib.import_module(f"cxlib.{self.wing}"), self.name)

    def told(self) -> str:
        """First line of what it does."""
        return list_names.first_line(ROOT / "cxlib" / self.wing / f"{self.module}.py", self.name)

    def doc(self) -> str:
        """Its docstring, empty for a constant."""
        thing = self.thing()
        return inspect.getdoc(thing) or "" if callable(thing) else ""


def wings() -> list[str]:
    """Wings with public names, in order."""
    return [stub.parent.name for stub in sorted((ROOT / "cxlib").glob("*/__init__.pyi"))]


def public_names(wing: str) -> Iterator[Name]:
    """Names of a wing."""
    for module, name in list_names.public_names(ROOT / "cxlib" / wing):
        yield Name(wing, module, name)


_top: set[str] = set()


def top_names() -> set[str]:
    """Names reached as `cx.name`."""
    if not _top:
        _top.update(dir(importlib.import_module("cxlib")))
    return _top
