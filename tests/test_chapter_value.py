"""Chapter 7 on customers, contracts and spend as they come: a report that says what it can't tell."""

import datetime as dt
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.simulate import write_sample

ROOT = Path(__file__).parents[1]
CHAPTER = ROOT / "notebooks" / "07_customer_value.ipynb"
spec = importlib.util.spec_from_file_location("same_story", ROOT / "tests" / "same_story.py")
same_story = importlib.util.module_from_spec(spec)
spec.loader.exec_module(same_story)
LAST = pd.Timestamp("2026-09-30", tz="Asia/Tokyo")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=700, seed=5)


@pytest.fixture
def run(company, run_chapter, copy_of):
    def _run(tables=None, **parameters):
        folder = copy_of(company, **tables) if tables else str(company)
        return run_chapter(CHAPTER, data=folder, **({"n_boot": 100} | parameters))

    return _run


def first_orders(rows):
    """Lines of each customer's first order, and all of some fifteen customers: hardly anybody repeats."""
    first = rows.groupby("customer_id")["ordered_at"].transform("min")
    return rows[(rows["ordered_at"] == first) | rows["customer_id"].str.endswith("77", na=False)]


def one_order_each(rows):
    """No customer has two orders: whose they are can't be known, for each order may have an id of its own."""
    return rows.drop_duplicates("customer_id")


def one_cohort(rows):
    first = rows.groupby("customer_id")["ordered_at"].transform("min")
    return rows[(first >= "2025-03-01") & (first < "2025-04-01")]


def one_large(rows):
    return rows.assign(
        amount=rows["amount"].where(rows["order_id"] != rows["order_id"].iloc[-1], 9e7),
        margin=rows["margin"].where(rows["order_id"] != rows["order_id"].iloc[-1], 6e7),
    )


def odd_contracts(rows):
    """Some ended before they began, some twice at once."""
    at = np.arange(len(rows))
    began = rows["started_on"]
    rows["ended_on"] = rows["ended_on"].mask(at % 9 == 0, began - pd.Timedelta(days=3))
    return pd.concat([rows, rows[at % 5 == 0].assign(plan="plus")], ignore_index=True)


def midway(rows):
    """The shop is older than its data: only the last months are there, old customers look new."""
    return rows[rows["ordered_at"] >= LAST - pd.Timedelta(days=420)]


CASES = {
    "midway": {"orders": midway},
    "one_cohort": {"orders": one_cohort},
    "hardly_any_repeat": {"orders": first_orders},
    "one_order_each": {"orders": one_order_each},
    "all_new": {"orders": lambda rows: rows[rows["ordered_at"] > LAST - pd.Timedelta(days=20)]},
    "margin_in_part": {"orders": lambda rows: rows.assign(margin=rows["margin"].where(rows.index % 3 > 0))},
    "losses": {"orders": lambda rows: rows.assign(margin=-rows["margin"].abs())},
    "spend_elsewhere": {
        "spend": lambda rows: rows.assign(acquisition_channel="x" + rows["acquisition_channel"])
    },
    "gaps_in_spend": {"spend": lambda rows: rows[pd.to_datetime(rows["month"]).dt.month % 3 > 0]},
    "odd_contracts": {"contracts": odd_contracts},
    "one_large": {"orders": one_large},
    "no_tables": {"spend": None, "contracts": None, "tickets": None},
}
#: What each case must say, and what it may not claim.
SAID = {
    "midway": (
        {"unsettled", "ltv.unsettled[method=mature]", "paid.unsettled", "kept.unsettled"},
        {"paid", "cost_moved", "keep"},
    ),
    "one_cohort": ({"ltv.too_few_repeat[method=model]", "paid.too_young"}, {"equity", "keep"}),
    "hardly_any_repeat": ({"ltv.too_few_repeat[method=model]", "no_equity"}, {"ltv[method=model]", "equity"}),
    "one_order_each": ({"kept.no_customers", "paid.no_cost", "decision.no_cost"}, {"equity", "threshold"}),
    "all_new": ({"ltv.too_young[method=mature]", "kept.one_cohort", "paid.too_young"}, {"paid", "threshold"}),
    "margin_in_part": ({"margin_assumed"}, set()),
    "losses": ({"ltv.value_not_positive[method=model]", "no_equity"}, {"ltv[method=model]", "keep"}),
    "spend_elsewhere": ({"channels.no_customers[claim=no_customers]", "decision.no_cost"}, {"paid", "keep"}),
    "gaps_in_spend": ({"months_missing"}, set()),
    "odd_contracts": (set(), set()),
    "one_large": ({"one_carries", "model_missed"}, {"equity", "keep"}),
    "no_tables": ({"no_spend_table", "no_contracts_table", "no_renewals"}, {"paid", "ltv[method=sbg]"}),
}
QUICK = ("midway", "one_order_each", "losses", "one_large")


def told(pieces, kind):
    """Keys of the chapter's own findings or notices, without its name."""
    return {key.removeprefix("customer_value.") for key in pieces[kind] if key.startswith("customer_value.")}


def faults(pieces, lang="en"):
    (header,) = pieces["header"].values()
    results = {"header": header, "tables": pieces["table"]}
    results |= {"findings": pieces["finding"], "notices": pieces["notice"]}
    return list(same_story.report_faults(results, lang))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in CASES]
)
def test_odd_tables_end_in_a_report_that_says_so_and_contradicts_nothing(run, name):
    pieces = run(CASES[name])
    said, claimed = told(pieces, "notice"), told(pieces, "finding")
    must, may_not = SAID[name]
    assert must <= said, sorted(said)
    assert not may_not & claimed, sorted(claimed)
    assert faults(pieces) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "parameters",
    [
        {"horizon_months": 36, "outcome": "amount", "lang": "ja", "spend_lag_months": 3},
        {"period_start": dt.date(2026, 4, 1), "by": "region", "conf_level": 0.8, "next_days": 30},
        {"segment": "Champions", "min_cell": 5, "threshold_quantile": 0.8},
        {"period_end": dt.date(2025, 12, 31), "where": "customer_type=consumer", "unpaid_channels": ""},
    ],
    ids=["far", "part", "few", "early"],
)
def test_other_parameters_contradict_nothing(run, parameters):
    pieces = run(**parameters)
    assert faults(pieces, parameters.get("lang", "en")) == []
    assert ("one_segment" in told(pieces, "notice")) == ("segment" in parameters)
    if parameters.get("horizon_months") == 36:
        assert "ltv.too_young[method=mature]" in told(pieces, "notice")
