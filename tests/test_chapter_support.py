"""The support chapter on tickets as they come: lacking tables, odd spellings, one customer, nobody."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.simulate import write_sample

CHAPTER = Path(__file__).parents[1] / "notebooks" / "10_support.ipynb"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=700, seed=5)


@pytest.fixture
def run(company, run_chapter, copy_of):
    def _run(tables=None, **parameters):
        folder = copy_of(company, **tables) if tables else str(company)
        return run_chapter(CHAPTER, data=folder, **parameters)

    return _run


def notes(pieces):
    return {key.removeprefix("support.") for key in pieces["notice"] if key.startswith("support.")}


def soiled(rows):
    """Two spellings, no customer here and there, some never closed, some closed before they were opened."""
    at = np.arange(len(rows))
    rows["reason"] = rows["reason"].where(at % 3 > 0, rows["reason"].str.upper() + " ")
    rows["customer_id"] = rows["customer_id"].mask(at % 10 == 0)
    rows["resolved_at"] = rows["resolved_at"].mask(at % 7 == 0)
    rows.loc[at % 9 == 0, "resolved_at"] = rows["opened_at"] - pd.Timedelta(days=3)
    return rows


def test_odd_tickets_are_counted_for_what_they_are_and_said_to_be(run):
    pieces = run({"tickets": soiled})
    assert {"data.no_customer", "data.spellings"} <= notes(pieces)
    assert "tables.too_early" in pieces["notice"]  # closed before opened: the time is not used
    reasons = [row["reason"] for row in pieces["table"]["reasons"]["rows"]]
    assert len(reasons) == len({str(reason).strip().lower() for reason in reasons})
    assert "support.start" in pieces["finding"]


@pytest.mark.slow
def test_what_is_lacking_is_said_and_the_rest_goes_on(run):
    pieces = run({"orders": None, "responses": None, "events": None, "initiatives": None, "enrolments": None})
    lacking = {"no_orders", "no_touchpoints", "no_parcels", "no_feelings", "no_arms", "no_forecast"}
    assert lacking <= notes(pieces)
    assert "support.unsettled" not in pieces["finding"]
    assert pieces["table"]["clocks"]["rows"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [pytest.param("one customer", marks=pytest.mark.long), "no tickets", "no columns"]
)
def test_too_little_says_so_and_claims_nothing(run, case):
    def changed(rows):
        if case == "one customer":
            return rows.assign(customer_id=rows["customer_id"].dropna().iloc[0])
        return rows.head(0) if case == "no tickets" else rows[["ticket_id", "customer_id", "opened_at"]]

    pieces = run({"tickets": changed})
    if case == "no columns":
        assert "data.no_reasons" in notes(pieces)
        assert pieces["finding"]["support.start"]["verdict"] != "start_here"
    else:
        assert "data.few_tickets" in notes(pieces)
        assert pieces["finding"]["support.start"]["values"]["claim"] == "unknown"


@pytest.mark.slow
def test_a_period_a_segment_and_a_day_choose_the_tickets(run):
    half = {
        "period_start": pd.Timestamp("2026-04-01").date(),
        "where": "customer_type=consumer",
        "lang": "ja",
    }
    pieces = run(**half, min_cell=5)
    whole = run()
    held = [sum(row["n_tickets"] or 0 for row in one["table"]["clocks"]["rows"]) for one in (pieces, whole)]
    assert held[0] < held[1]
