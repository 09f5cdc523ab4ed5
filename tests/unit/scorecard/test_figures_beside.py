"""Figures that need a second table or the company's own rules, and figures without a change."""

import datetime as dt

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import InputError
from cxlib.data.rules.rule_files import Kpis, load_rules
from cxlib.data.rules.strict_models import to_model
from cxlib.scorecard import Measure, kpi_measures, measure_kpis, monthly_figures
from cxlib.value.kpi import blended_cac, next_month_sales
from cxlib.voice.kpi import topic_share, uncoded_share

LAST = dt.date(2026, 3, 31)


def lines(n=300):
    day = pd.Timestamp("2024-10-01") + pd.to_timedelta([i * 1.8 for i in range(n)], unit="D")
    people = [f"c{i % 200}" for i in range(n)]
    return pd.DataFrame({"customer_id": people, "order_id": range(n), "ordered_at": day, "amount": 9.0})


def money():
    month = pd.date_range("2024-10-01", periods=18, freq="MS")
    return pd.DataFrame({"month": month, "acquisition_channel": "ad", "amount": 100.0})


class Tables:
    def has(self, table):
        return table == "spend"

    def table(self, table, end):
        return money()


class Whole:
    """A scope of the whole company."""

    is_narrowed, data_set, last_day = False, Tables(), LAST

    def rows(self, table, **kept):
        return lines()


class Narrow(Whole):
    is_narrowed = True


def entry(**figure):
    kept = next(one for one in load_rules("kpis").kpis if one.id == "acquisition_cost").model_dump()
    kept["figure"] |= figure
    return to_model(Kpis, {"kpis": [kept]}, file="kpis.yml").kpis


def figure_of(scope, **figure):
    made = kpi_measures(entry(**figure), functions=cx, scopes=[scope, scope])["acquisition_cost"]
    return made, made.of(made.latest, LAST)


def test_spend_is_set_against_the_new_customers_of_its_months_by_hand():
    first = lines().groupby("customer_id")["ordered_at"].min()
    new = (first >= "2025-04-01").sum()
    made, found = figure_of(Whole())
    assert found["estimate"].item() == pytest.approx(1200 / new) and found["n"].item() == new
    assert found["conf_low"].item() < 1200 / new < found["conf_high"].item()
    assert made.before is not None and figure_of(Whole(), is_compared=False)[0].before is None


def test_of_some_customers_only_there_is_no_cost_since_spend_is_everybodys():
    assert figure_of(Narrow())[1].empty
    assert blended_cac(lines(), as_of=LAST, spend=None).empty
    assert blended_cac(lines().tail(20), as_of=LAST, spend=money()).empty  # who is new can't be told


def test_what_needs_all_that_was_before_has_no_month_of_its_own():
    made, _ = figure_of(Whole())
    asked = {"first_day": dt.date(2024, 10, 1), "last_day": LAST, "min_customers": 1}
    assert monthly_figures({"cost": made}, **asked).empty
    each = made._replace(
        is_monthly=True, of=lambda rows, day: pd.DataFrame({"estimate": [1.0], "n": len(rows)})
    )
    assert len(monthly_figures({"cost": each}, **asked)) > 12


def test_a_table_that_there_is_not_is_named():
    with pytest.raises(InputError, match="spend"):
        figure_of(Whole(), beside=["spnd"])


def test_next_month_holds_the_pace_of_the_past_or_says_nothing():
    tables = cx.make_company(n_customers=600, seed=3)
    told = next_month_sales(tables["orders"], as_of="2026-09-30").iloc[0]
    assert told["conf_low"] < told["estimate"] < told["conf_high"]
    assert pd.isna(next_month_sales(lines(20), as_of=LAST)["estimate"].item())
    assert next_month_sales(lines(0), as_of=LAST).empty


def test_comments_are_told_by_the_codebook_given():
    said = ["too late", "ok", "the height of the walls", None]
    rows = pd.DataFrame({"response_id": list("abcd"), "customer_id": list("1234"), "comment": said})
    rows = rows.assign(survey="relationship")
    assert uncoded_share(rows)["estimate"].item() == pytest.approx(2 / 3)
    assert topic_share(rows, topic="delivery")["estimate"].item() == pytest.approx(1 / 3)
    assert uncoded_share(rows.assign(survey="transaction")).empty
    assert topic_share(rows.drop(columns="comment"), topic="delivery").empty
    assert topic_share(rows, topic="walls").empty


def test_rows_read_once_give_the_change_that_rows_read_anew_without_each_group_do():
    tickets = cx.make_company(n_customers=500, seed=3)["tickets"].sample(frac=1, random_state=1)
    tickets.loc[tickets.index[::9], "customer_id"] = None
    tickets.loc[tickets.index[::4], "first_replied_at"] += pd.Timedelta(days=2)

    class Days:
        def __init__(self, day):
            self.day = pd.Timestamp(day, tz=tickets["opened_at"].dt.tz)

        def rows(self, table, **kept):
            return tickets[tickets["opened_at"] < self.day]

    kpis = [one for one in load_rules("kpis").kpis if one.figure is not None and one.figure.reads]
    once = kpi_measures(kpis, functions=cx, scopes=[Days("2026-09-30"), Days("2026-06-30")])
    anew = {name: Measure(one.figure, one.latest, one.before) for name, one in once.items()}
    days = {"last_day": dt.date(2026, 9, 29), "earlier": dt.date(2026, 6, 29)}
    told = measure_kpis(once, **days)
    assert len(told) >= 2 and told["change_std_error"].notna().all()
    pd.testing.assert_frame_equal(told, measure_kpis(anew, **days), check_exact=True)
