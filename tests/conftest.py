"""What several test modules share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def reference_dir() -> Callable[[str], Path]:
    """`reference_dir(name)`: folder of a published data set; skips a test, saying so, where it is absent."""
    root = Path(os.environ.get("CX_REFERENCE", CHECKOUT.parent / "shared" / "reference"))

    def folder(name: str) -> Path:
        path = root / name
        if not path.is_dir():
            pytest.skip(
                f"the published data set {name!r} is not there; point CX_REFERENCE at the folder holding it"
            )
        return path

    return folder
