"""The catalogue of figures, targets that lead nowhere, and figures that join by their entry alone."""

import datetime as dt

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import InputError
from cxlib.data.rules.rule_files import Kpis, Target
from cxlib.data.rules.strict_models import to_model
from cxlib.scorecard import Measure, catalogue_words, kpi_catalogue, kpi_measures, target_notes

KPIS, TARGETS = cx.load_rules("kpis").kpis, cx.load_rules("targets").targets
DAY = dt.date(2026, 9, 30)


def kpi(**changes):
    """Entry of `kpis.yml` as a company would write it."""
    entry = {
        "id": "contacts_bad",
        "label": {"en": "Bad contacts", "ja": "悪い接触"},
        "definition": {"en": "Share", "ja": "割合"},
        "unit": "share",
        "system": "crm",
        "viewpoint": "customer",
        "kind": "quantitative",
        "owner": {"en": "Care", "ja": "ケア"},
        "report": "journey",
        "purpose": ["keep"],
        "figure": {"function": "below_expectation", "table": "events"},
    }
    return to_model(Kpis, {"kpis": [entry | changes]}, file="kpis.yml").kpis


class Days:
    """A scope with one table."""

    def rows(self, table, **kept):
        assert table == "events"
        self.kept = kept
        times = pd.to_datetime(["2026-09-01", "2026-09-27"])
        return pd.DataFrame(
            {"customer_id": ["a", "b"], "occurred_at": times, "expectation": [3, 3], "experience": [2, 4]}
        )


def test_a_figure_joins_by_its_entry_alone():
    """Measured, judged, with unit and words: nothing but the entry is needed."""
    entry = kpi()
    scopes = [Days(), Days()]
    rows = cx.scorecard.measure_kpis(
        kpi_measures(entry, functions=cx, scopes=scopes), last_day=DAY, earlier=dt.date(2026, 6, 30)
    )
    judged = cx.scorecard.judge_kpis(rows, kpis=entry, targets=TARGETS)
    assert judged[["metric", "estimate", "unit", "report"]].to_numpy().tolist() == [
        ["contacts_bad", 0.5, "share", "journey"]
    ]
    from cxlib.report.rows import Words, table_parts

    words = Words()
    words.add("metric", entry)
    _, units, labels, _ = table_parts(judged, words, "ja")
    assert units["estimate"] == "share"
    assert labels["estimate"] == "悪い接触"


def test_what_an_entry_says_reaches_function_and_rows():
    figure = {"function": "value.kept", "table": "events", "with_history": "yes", "keep_unknown": True}
    figure |= {"metric": "second", "options": {"days": "7", "of": ["1", "2.5", "x"], "deep": True}}
    told = {}

    class Functions:
        class value:
            @staticmethod
            def kept(rows, *, as_of, days, of, deep, conf_level):
                told.update(as_of=as_of, days=days, of=of, deep=deep, conf_level=conf_level)
                return pd.DataFrame({"metric": ["first", "second"], "estimate": [1.0, 2.0]})

    scopes = [Days(), Days()]
    made = kpi_measures(
        kpi(figure=figure | {"with_history": True}), functions=Functions, scopes=scopes, conf_level=0.9
    )["contacts_bad"]
    assert made.of(made.latest, DAY)["estimate"].tolist() == [2.0]
    assert told == {"as_of": DAY, "days": 7, "of": [1, 2.5, "x"], "deep": True, "conf_level": 0.9}
    assert scopes[1].kept == {"with_history": True, "keep_unknown": True}


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ({"function": "below_expectations", "table": "events"}, "below_expectation"),
        ({"function": "journey.below_expectations", "table": "events"}, "below_expectation"),
        ({"function": "_hidden", "table": "events"}, "does not have"),
        ({"function": "nps.__globals__", "table": "events"}, "does not have"),
        ({"function": "open_data", "table": "events"}, "no function that takes rows"),
        ({"function": "below_expectation", "table": "event"}, "events"),
        (
            {"function": "below_expectation", "table": "events", "reads": "support.ticket_read"},
            "tickets_read",
        ),
    ],
)
def test_an_entry_that_leads_nowhere_is_named(figure, said):
    with pytest.raises(InputError, match=said) as error:
        kpi_measures(kpi(figure=figure), functions=cx, scopes=[Days(), Days()])
    assert "contacts_bad" in str(error.value)


def test_the_shipped_entries_lead_somewhere():
    class Any:
        data_set, is_narrowed, last_day = None, True, DAY

        def rows(self, table, **kept):
            return pd.DataFrame()

        def has(self, table):
            return False

    Any.data_set = Any()

    made = kpi_measures(KPIS, functions=cx, scopes=[Any(), Any()])
    assert {"f2_180", "win_rate", "follow_up_share", "below_expectation_share"} <= set(made)
    assert all(one.owner is not None for one in KPIS)


def test_leads_of_some_customers_are_not_told():
    """A lead that became no deal is no customer's, so that of those left every one became a deal."""

    class Chosen:
        data_set, is_narrowed, last_day = None, True, DAY

        def rows(self, table, **kept):
            return pd.DataFrame({"customer_id": ["a"], "deal_id": ["d"]})

    leads = [one for one in KPIS if one.id == "lead_to_deal"]
    assert kpi_measures(leads, functions=cx, scopes=[Chosen(), Chosen()])["lead_to_deal"].latest.empty


def test_the_catalogue_tells_the_age_of_the_newest_row():
    rows = Days().rows("events")
    found = kpi_catalogue(
        KPIS, measures={"nps": Measure(None, rows), "csat": Measure(None, rows.head(0))}, last_day=DAY
    )
    ages = found.set_index("kpi")["age_days"]
    assert ages["nps"] == 3
    assert pd.isna(ages["csat"]) and pd.isna(ages["ces"])
    assert set(found["viewpoint"]) == {"company", "customer"} and set(found["kind"]) == {
        "qualitative",
        "quantitative",
    }
    words = catalogue_words(KPIS)
    assert set(words["definition"]) == set(words["owner"]) == {one.id for one in KPIS}


def target(metric):
    label = {"en": metric, "ja": metric}
    return Target(metric=metric, unit="share", better="higher", target=0.5, alarm=0.2, label=label)


def test_targets_that_lead_nowhere_are_said():
    assert target_notes(TARGETS, kpis=KPIS) == []
    assert [one["key"] for one in target_notes([], kpis=KPIS)] == ["scorecard.no_targets"]
    (unknown,) = target_notes([target("f2_18")], kpis=KPIS)
    assert (unknown["key"], unknown["found"]) == ("scorecard.unknown_target", "f2_18")
    assert "f2_180" in unknown["options"]
    (orphan,) = target_notes([target("contacts_bad")], kpis=kpi(owner=None))
    assert orphan["key"] == "scorecard.no_owner"
