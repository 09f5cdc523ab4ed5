"""Chapter 4 on data that go wrong: each case ends in a report that says so, or in a message."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import cxlib as cx
from cxlib import display
from cxlib.checks import CxError, InputError, ParameterError
from cxlib.samples import write_sample

CHAPTER = Path(__file__).parents[1] / "notebooks" / "04_initiative_roi.ipynb"
LESSON = {"teach", "exercise", "solution"}


def _cells():
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and not tags & LESSON:
            yield tags, compile("".join(cell["source"]), cell["id"], "exec")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=1200, seed=5)


@pytest.fixture
def run(company, monkeypatch):
    """`run(initiative="I2", …)`: the report's pieces, as `kind -> key -> record`."""

    def _run(**parameters):
        pieces = {"finding": {}, "notice": {}, "table": {}, "figure": {}, "header": {}}

        def keep(data, raw, metadata):
            record = metadata["cx"]
            pieces[record["kind"]][record["key"]] = record

        monkeypatch.setattr(display, "_send", keep)
        monkeypatch.setattr(Figure, "savefig", lambda self, buffer, **how: buffer.write(b"<svg/>"))
        names = {}
        for tags, code in _cells():
            exec(code, names)
            if "parameters" in tags:
                assert set(parameters) <= set(names)
                names.update({"data": str(company), **parameters})
        return pieces

    return _run


@pytest.fixture
def changed(company, tmp_path):
    """`changed(table=function)`: a copy of the company with tables changed, or left out by None."""

    def _changed(**tables):
        for source in company.iterdir():
            name = source.stem
            if name in tables and tables[name] is None:
                continue
            if name in tables:
                tables[name](pd.read_parquet(source)).to_parquet(tmp_path / source.name)
            else:
                (tmp_path / source.name).write_bytes(source.read_bytes())
        return str(tmp_path)

    return _changed


def verdict(pieces):
    (key,) = [key for key in pieces["finding"] if key.startswith("impact.verdict_")]
    return pieces["finding"][key]["verdict"], key.removeprefix("impact.verdict_")


def money(pieces):
    (key,) = [key for key in pieces["finding"] if key.startswith("impact.money_")]
    return key.removeprefix("impact.money_")


def levels(pieces):
    return {key.removeprefix("impact.note_"): note["level"] for key, note in pieces["notice"].items()}


def text_of(pieces):
    return " ".join(record["text"] for kind in ("finding", "notice") for record in pieces[kind].values())


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("initiative", ["I1", "I2", "I3", "I4"])
def test_every_initiative_in_both_languages(run, initiative, lang):
    pieces = run(initiative=initiative, lang=lang, horizon_months=6)
    assert {"ladder", "decision"} <= set(pieces["table"])
    assert {"evidence_ladder", "arm_months"} <= set(pieces["figure"])
    assert not any(word in text_of(pieces) for word in ("nan", "None", "{", "}"))
    assert verdict(pieces)[0] in ("effective", "not_shown", "harmful", "too_early")
    if initiative == "I4":
        assert verdict(pieces) == ("not_shown", "no_control")
        assert money(pieces) == "no_effect"


def test_without_comparison_even_a_leap_is_not_called_effective(run, changed):
    def leap(orders):
        late = orders["ordered_at"] >= pd.Timestamp("2025-12-01", tz="Asia/Tokyo")
        return orders.assign(margin=orders["margin"] + 90_000.0 * late)

    pieces = run(initiative="I4", horizon_months=6, data=changed(orders=leap))
    assert pieces["finding"]["impact.naive_alone"]["values"]["naive"] > 1000
    assert verdict(pieces) == ("not_shown", "no_control")


@pytest.mark.parametrize(
    ("as_of", "months", "reason"),
    [
        ("2026-01-31", 4, "months"),
        ("2025-10-20", 0, "no_data"),
        ("2025-08-31", 0, "no_data"),
        ("2025-01-15", 0, "no_data"),
    ],
)
def test_too_early_without_extrapolation(run, as_of, months, reason):
    pieces = run(as_of=as_of)
    assert verdict(pieces) == ("too_early", reason)
    (found,) = [f for key, f in pieces["finding"].items() if key.startswith("impact.verdict_")]
    assert (found["values"]["months_observed"], found["values"]["horizon_months"]) == (months, 12)
    assert "money" not in pieces["table"]
    assert money(pieces) == ("too_early" if months else "no_data")
    if months:
        assert f"{months} of 12 months" in found["text"]
        flows = pieces["table"]["cash_flows"]["rows"]
        assert [row["month"] for row in flows] == list(range(months + 1))
    else:
        assert levels(pieces)["not_started"] == "not_enough_data"
        empty = {"ladder", "money", "tornado", "scenarios", "gap", "drift", "sensitivity"}
        assert {f"impact.none_{section}" for section in empty} <= set(pieces["notice"])


def test_a_period_from_the_start_on_is_named(run):
    """The data hold months before the start; the period chosen leaves them out."""
    pieces = run(period_start="2025-10-01")
    assert levels(pieces)["no_months_in_period"] == "warning"
    assert "2025-10-01" in pieces["notice"]["impact.note_no_months_in_period"]["text"]
    assert "no_months_before" not in levels(pieces)


def test_break_even_is_not_claimed_where_the_total_falls_back(run):
    for segment in ("Champions", "Hibernating"):
        pieces = run(segment=segment)
        if money(pieces) == "ready":
            flows = [row["cumulative"] for row in pieces["table"]["cash_flows"]["rows"]]
            stays = flows[-1] >= 0
            assert ("impact.payback_reached" in pieces["finding"]) == stays


def test_horizon_longer_than_the_data(run):
    assert verdict(run(horizon_months=24)) == ("too_early", "months")


def test_no_enrolments_table(run, changed):
    pieces = run(data=changed(enrolments=None))
    assert verdict(pieces) == ("not_shown", "no_control")
    assert levels(pieces)["no_control"] == "warning"
    assert {row["rung"] for row in pieces["table"]["ladder"]["rows"]} == {
        "before_after",
        "same_months_last_year",
    }


def test_missing_tables_are_named(run, changed):
    with pytest.raises(InputError, match="initiatives"):
        run(data=changed(initiatives=None))


def costs(one_time, monthly):
    return lambda table: table.assign(one_time_cost=one_time, monthly_cost=monthly)


@pytest.mark.parametrize(
    ("paid", "state"), [((0.0, 0.0), "zero_cost"), ((np.nan, 5.0), "no_cost"), ((9.0, np.nan), "no_cost")]
)
def test_cost_zero_or_missing(run, changed, paid, state):
    pieces = run(data=changed(initiatives=costs(*paid)))
    assert money(pieces) == state
    assert "money" not in pieces["table"]


def test_negative_cost_stops(run, changed):
    with pytest.raises(InputError):
        run(data=changed(initiatives=costs(-1.0, 5.0)))


def test_a_customer_in_both_arms_stops_without_naming_anybody(run, changed):
    def twice(table):
        again = table[table["initiative_id"] == "I1"].head(20)
        return pd.concat([table, again.assign(arm="control", enrolled_on=None)], ignore_index=True)

    with pytest.raises(CxError) as caught:
        run(data=changed(enrolments=twice))
    assert "C0" not in str(caught.value)


def test_an_exposed_control_is_noticed(run, changed):
    def exposed(table):
        arm = np.where((table.index % 9 == 0) & (table["initiative_id"] == "I1"), "control", table["arm"])
        return table.assign(arm=arm)

    assert levels(run(data=changed(enrolments=exposed)))["exposed"] == "warning"


def test_one_treated_customer_is_not_shown(run, changed):
    def one(table):
        treated = table[(table["initiative_id"] == "I1") & (table["arm"] == "treatment")]
        return table.drop(index=treated.index[1:])

    pieces = run(data=changed(enrolments=one))
    assert verdict(pieces) == ("too_early", "no_data")
    assert levels(pieces)["small_arm"] == "not_enough_data"
    assert set(pieces["table"]) == {"decision"}
    assert not pieces["figure"]


def test_nobody_left_untreated_ends_the_comparison(run, changed):
    pieces = run(initiative="I2", data=changed(enrolments=lambda table: table[table["enrolled_on"].notna()]))
    assert levels(pieces)["not_yet"] == "warning"
    assert verdict(pieces)[0] == "too_early"


def move(day):
    def starts(table):
        return table.assign(started_on=pd.Timestamp(day).date())

    def enrolled(table):
        return table.assign(
            enrolled_on=[None if pd.isna(on) else pd.Timestamp(day).date() for on in table["enrolled_on"]]
        )

    return {"initiatives": starts, "enrolments": enrolled}


def test_start_before_the_data(run, changed):
    pieces = run(data=changed(**move("2024-02-01")))
    assert verdict(pieces) == ("too_early", "no_data")
    assert levels(pieces)["starts_before_data"] == "not_enough_data"


def test_period_that_begins_after_the_start(run):
    pieces = run(period_start="2025-12-01")
    assert levels(pieces)["starts_before_data"] == "not_enough_data"
    assert not pieces["figure"]


def test_period_that_ends_early(run):
    assert verdict(run(period_end="2026-04-30")) == ("too_early", "months")


def test_constant_outcome(run, changed):
    pieces = run(data=changed(orders=lambda table: table.assign(amount=0.0, margin=0.0)))
    assert verdict(pieces) == ("not_shown", "no_interval")
    assert levels(pieces)["constant"] == "not_enough_data"
    assert money(pieces) == "no_effect"


def test_no_margin_recorded(run, changed):
    data = changed(orders=lambda table: table.drop(columns="margin"))
    pieces, half = run(data=data), run(data=data, contribution_margin_rate=0.15)
    assert levels(pieces)["margin_rate"] == "info"
    benefits = [p["finding"]["impact.money_ready"]["values"]["benefit"] for p in (pieces, half)]
    assert benefits[1] == pytest.approx(benefits[0] / 2)


def test_hardly_any_orders(run, changed):
    pieces = run(data=changed(orders=lambda table: table.head(20)))
    assert verdict(pieces)[0] in ("too_early", "not_shown")


def test_unknown_names_list_what_exists(run):
    with pytest.raises(ParameterError, match="I1, I2, I3, I4"):
        run(initiative="I7")
    with pytest.raises(ParameterError, match="Champions"):
        run(segment="Champion")
    with pytest.raises(ParameterError, match="region"):
        run(by="regoin")


def test_a_segment_bears_its_share_of_the_cost(run):
    whole, part = run(), run(segment="Hibernating", by="region")
    shares = part["notice"]["impact.note_cost_share"]
    assert shares["level"] == "info"
    needed = [p["table"]["decision"]["rows"][0]["break_even_effect"] for p in (whole, part)]
    assert needed[1] == pytest.approx(needed[0])
    assert "groups" in part["table"]
    assert levels(part)["segment"] == "info"


def test_segment_without_anybody_in_the_study(run):
    pieces = run(segment="No orders")
    assert levels(pieces)["no_members"] == "not_enough_data"


@pytest.mark.parametrize("outcome", ["amount", "orders"])
def test_other_outcomes_leave_the_money_alone(run, outcome):
    pieces = run(outcome=outcome)
    assert {row["metric"] for row in pieces["table"]["monthly_gap"]["rows"]} == {outcome}
    assert pieces["table"]["money"] == run()["table"]["money"]


def test_levels_and_small_cells(run):
    narrow, wide = run(conf_level=0.8), run(conf_level=0.99)
    widths = [
        row["conf_high"] - row["conf_low"]
        for p in (narrow, wide)
        for row in [p["table"]["decision"]["rows"][0]]
    ]
    assert widths[0] < widths[1]
    assert not run(min_cell=1000)["figure"]


def test_the_verdict_follows_the_smallest_effect_worth_having(run):
    assert verdict(run(min_effect=100_000.0))[0] != "effective"


def test_cells_shown_hold_enough_customers(run):
    pieces = run(by="region", min_cell=60, initiative="I1")
    for row in pieces["table"]["groups"]["rows"]:
        assert row["estimate"] is None or row["n"] >= 60


def test_the_shipped_sample_tells_its_story(run):
    sample = str(CHAPTER.parents[1] / "data" / "sample")
    truth = json.loads((Path(sample) / "truth.json").read_text(encoding="utf-8"))["initiatives"]
    for name in ("I1", "I2"):
        pieces = run(data=sample, initiative=name)
        found = pieces["table"]["decision"]["rows"][0]
        assert verdict(pieces)[0] == "effective"
        assert found["conf_low"] < truth[name]["effect_monthly_margin"]["12"] < found["conf_high"]
    low = run(data=sample, initiative="I3")
    assert verdict(low)[0] == "not_shown"
    assert low["finding"]["impact.naive_targeted"]["values"]["naive_low"] > 0
    assert verdict(run(data=sample, initiative="I4"))[0] == "too_early"
    assert verdict(run(data=sample, as_of="2026-01-31"))[0] == "too_early"
    assert cx.open_data(sample).is_sample
