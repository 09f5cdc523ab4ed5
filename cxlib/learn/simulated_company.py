"""The company a learner works on: its tables as a report reads them, and what is true of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cxlib.checks import fail_option
from cxlib.data.tables.data_set import DataSet, open_data
from cxlib.learn import planted_faults
from cxlib.samples.simulate import make_company_with_truth

if TYPE_CHECKING:
    import pandas as pd

#: Seed of the sample that the handbook ships: with it, a lesson's numbers are those of its reports.
SAMPLE_SEED = 7
#: As many customers as the sample has: enough that the usual wrong answers differ from the right one.
N_CUSTOMERS = 4000
#: What the sample's `dataset.yml` says of it.
_ABOUT: dict[str, Any] = {
    "name": "Hadaiku",
    "currency": "JPY",
    "timezone": "Asia/Tokyo",
    "extracted_at": "2026-10-01T00:00:00+09:00",
    "fiscal_year_start": 4,
    "csat_scale": (1, 5),
    "ces_scale": (1, 7),
    "ces_direction": "ease",
    "valence_scale": (-2, 2),
    "is_sample": True,
}
FAULTS: Mapping[str, Callable[..., dict[str, pd.DataFrame]]] = {
    "closed_tickets": planted_faults.closed_tickets,
    "duplicates": planted_faults.duplicates,
    "planned_dates": planted_faults.planned_dates,
    "time_zone": planted_faults.time_zone,
}


@dataclass(frozen=True, eq=False)
class Company:
    """A simulated company: `shop["orders"]` is a table, `shop.truth` what is true of it.

    A class because a table, the day it was extracted and the truth behind it belong together: an examiner
    handed one without the other would mark against another company.

    Examples
    --------
    >>> shop = company()
    >>> shop["customers"].shape[0], shop.as_of.isoformat()[:10]
    (4000, '2026-09-30')
    """

    seed: int
    data_set: DataSet = field(repr=False)
    truth: Mapping[str, Any] = field(repr=False)
    exported: Mapping[str, pd.DataFrame] = field(repr=False)
    fault: str = ""

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Rows of a table of the contract, checked as for a report; of a broken company, as exported."""
        return self.exported[table].copy() if self.fault else self.data_set.table(table)

    @property
    def as_of(self) -> Any:
        """Last day with data."""
        return self.data_set.as_of


@functools.lru_cache(maxsize=4)
def company(seed: int = SAMPLE_SEED) -> Company:
    """Simulate a company of 4,000 customers; another `seed` is another company with the same truths.

    Parameters
    ----------
    seed : int
        Any whole number from 0; 7 is the sample company of the handbook. About six seconds for a new one.

    Returns
    -------
    Company
        `shop["orders"]` and every other table of the contract, `shop.as_of`, `shop.truth`.

    Raises
    ------
    ParameterError
        `seed` is no whole number from 0.

    Examples
    --------
    >>> sorted(company().truth)[:2]
    ['acquisition_cost', 'comments']
    """
    return _company(seed, "")


@functools.lru_cache(maxsize=4)
def broken_company(fault: str, seed: int = SAMPLE_SEED) -> Company:
    """Simulate the company of `seed` with a fault planted in its tables, as exports have them.

    Parameters
    ----------
    fault : {"closed_tickets", "duplicates", "planned_dates", "time_zone"}
        What is planted: tickets still open left out, a week of order lines written twice, ends that are only
        planned among those that happened, hours of another time zone. Which table and how much is for the
        learner to find.
    seed : int
        As in `company`.

    Raises
    ------
    ParameterError
        Unknown `fault`, or `seed` as in `company`.

    Examples
    --------
    >>> broken_company("time_zone").fault
    'time_zone'
    """
    if fault not in FAULTS:
        fail_option("fault", fault, FAULTS)
    return _company(seed, fault)


def _company(seed: int, fault: str) -> Company:
    tables, truth = make_company_with_truth(n_customers=N_CUSTOMERS, seed=seed)
    tables = FAULTS[fault](tables) if fault else tables
    opened = open_data(tables, **_ABOUT)
    return Company(seed, opened, truth, tables, fault)
