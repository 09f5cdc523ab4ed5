"""The simulated company: every table of the contract, and every effect in it known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cxlib.checks import ParameterError
from cxlib.samples._company import assemble_truth, simulate
from cxlib.samples._files import write_company
from cxlib.samples._settings import Truth

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Truth", "make_company", "make_company_with_truth", "write_sample"]

MIN_CUSTOMERS, MAX_CUSTOMERS = 200, 5_000_000
MIN_MONTHS, MAX_MONTHS = 18, 60


def make_company(
    *, n_customers: int = 4000, seed: int = 7, months: int = 24, truth: Truth | None = None
) -> dict[str, pd.DataFrame]:
    """Simulate a company."""
    _check(n_customers, months)
    return simulate(n_customers, seed, months, truth or Truth())[0]


def make_company_with_truth(
    *, n_customers: int = 4000, seed: int = 7, months: int = 24, truth: Truth | None = None
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Simulate a company and say what is true of it."""
    _check(n_customers, months)
    planted = truth or Truth()
    tables, known = simulate(n_customers, seed, months, planted)
    return tables, assemble_truth(planted, known, n_customers=n_customers, seed=seed)


def write_sample(
    out: str | Path,
    *,
    n_customers: int = 4000,
    seed: int = 7,
    months: int = 24,
    format: Literal["parquet", "csv"] = "parquet",
) -> Path:
    """Simulate a company and write it as a data set with `dataset.yml` and `truth.json`."""
    tables, truth = make_company_with_truth(n_customers=n_customers, seed=seed, months=months)
    return write_company(Path(out), tables, truth, format)


def _check(n_customers: int, months: int) -> None:
    for argument, value, low, high in (
        ("n_customers", n_customers, MIN_CUSTOMERS, MAX_CUSTOMERS),
        ("months", months, MIN_MONTHS, MAX_MONTHS),
    ):
        if not low <= value <= high:
            raise ParameterError("samples.out_of_range", argument=argument, value=value, low=low, high=high)
