"""Where the handbook's own files are: chapters, rules, mappings and the sample company.

In a checkout they lie beside the package; in an installed one they came along inside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

#: Whether this package is part of a checkout, to which reports may be written.
IS_CHECKOUT = all((_PACKAGE.parent / name).exists() for name in ("pyproject.toml", "notebooks", "data/rules"))
#: The folder that holds `notebooks/` and `data/`; never written to when it is an installed package's.
HANDBOOK = _PACKAGE.parent if IS_CHECKOUT else _PACKAGE / "handbook"
#: Where reports go unless told otherwise: the checkout's folder, or one in the working directory.
REPORTS = HANDBOOK / "reports" if IS_CHECKOUT else Path("reports")
#: Where working notebooks go unless told otherwise, likewise.
WORK = HANDBOOK / "work" if IS_CHECKOUT else Path("work")
