"""Chapter 2 on data that go wrong: each case ends in a report that says so, or in a message."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cxlib.report import report as display
from cxlib.samples.simulate import write_sample

CHAPTER = Path(__file__).parents[1] / "notebooks" / "02_journey.ipynb"
LESSON = {"teach", "exercise", "solution"}


def _cells():
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and not tags & LESSON:
            yield tags, compile("".join(cell["source"]), cell["id"], "exec")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=700, seed=5)


@pytest.fixture(scope="module")
def done():
    """Reports on the company as it is, by their parameters: several tests read the same one."""
    return {}


@pytest.fixture
def run(company, tmp_path, monkeypatch, done):
    """`run(events=function, period_start=…)`: the report's pieces, as `kind -> key -> record`."""

    def _run(events=None, orders=None, settings=None, **parameters):
        changes = {"events": events, "orders": orders}
        as_it_is = settings is None and not any(changes.values())
        known = tuple(sorted(parameters.items())) if as_it_is else None
        if known not in done:
            done[known] = _new(changes, settings, **parameters)
        return done[known] if as_it_is else done.pop(known)

    def _new(changes, settings, **parameters):
        for source in company.iterdir():
            change = changes.get(source.stem)
            if change is None:
                (tmp_path / source.name).write_bytes(source.read_bytes())
            else:
                change(pd.read_parquet(source)).to_parquet(tmp_path / source.name)
        if settings is not None:
            settings(tmp_path)
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
                names.update({"data": str(tmp_path), **parameters})
        return pieces

    return _run


def rows_of(pieces, table):
    return pd.DataFrame(pieces["table"][table]["rows"])


def test_stages_nobody_knows_end_in_a_notice_and_the_rest_of_the_report_stands(run):
    pieces = run(events=lambda rows: rows.assign(stage="mystery"))
    assert pieces["notice"]["journey.no_known_stage_here"]["level"] == "not_enough_data"
    assert "journey.no_answers" not in pieces["notice"]
    assert "emotion_curve" not in pieces["table"]
    assert {"journey.f2_level", "journey.state"} <= set(pieces["finding"])


@pytest.mark.long
def test_some_unknown_stages_touchpoints_and_no_flags_are_said(run):
    def change(rows):
        lost = np.arange(len(rows)) % 3 == 0
        rows["stage"] = rows["stage"].where(~lost)
        rows["touchpoint"] = rows["touchpoint"].replace("ad", "billboard")
        return rows.drop(columns=["responded", "opted_out"])

    pieces = run(events=change, web_steps="cart,cart,done")
    assert pieces["notice"]["journey.unknown_stages"]["level"] == "warning"
    assert re.match(r"3\d\.\d%", pieces["notice"]["journey.unknown_stages"]["text"])
    assert "journey.unknown_touchpoints" in pieces["notice"]
    missing = pieces["notice"]["journey.pressure_missing"]["text"]
    assert "`responded`" in missing
    assert "`opted_out`" in missing
    assert not {"contact_pressure", "first_exits"} & set(pieces["table"])
    assert "2" in pieces["notice"]["journey.repeated_steps"]["text"]
    assert "funnel" not in pieces["figure"]


def test_tables_with_a_header_only_say_why_everything_is_empty(run):
    pieces = run(events=lambda rows: rows.iloc[:0], orders=lambda rows: rows.iloc[:0])
    assert {"journey.no_answers", "journey.no_buyers", "journey.empty_surface"} <= set(pieces["notice"])
    assert set(pieces["finding"]) <= {"journey.decision"}
    assert pieces["finding"]["journey.decision"]["verdict"] == "not_enough_data"


def test_a_page_outside_the_steps_is_looked_at_and_the_checklist_keeps_its_days(run):
    def change(rows):
        paid = rows[rows["page"] == "payment"].iloc[::3]
        error = paid.assign(page="payment_error", event_id=[f"X{i}" for i in range(len(paid))])
        error["occurred_at"] = error["occurred_at"] + pd.Timedelta(seconds=5)
        ended = (rows["page"] == "done") & rows["session_id"].isin(paid["session_id"])
        return pd.concat([rows[~ended], error])

    pieces = run(
        events=change,
        f2_days=30,
        observed_from=pd.Timestamp("2025-06-01").date(),
        period_start=pd.Timestamp("2025-01-01").date(),
    )
    exits = rows_of(pieces, "exits").set_index("page")
    assert exits.loc["payment_error", "estimate"] == 1
    assert pieces["finding"]["journey.exit_alone"]["values"]["page"] == "payment_error"
    limit = rows_of(pieces, "checklist").set_index("question")
    assert limit.loc["leads_to_conviction", "limit_share"] == 0.35
    f2 = rows_of(pieces, "f2").set_index("days")["estimate"]
    assert limit.loc["leads_to_conviction", "estimate"] == f2[180]
    assert "journey.left_out" in pieces["notice"]
    roles = rows_of(pieces, "roles")
    assert set(roles.loc[roles["n"].isna(), "verdict"]) <= {"not_enough_data"}
    assert {"curve_features", "contact_pressure", "first_exits"} <= set(pieces["table"])


@pytest.mark.long
def test_a_rescaled_copy_tells_the_same_story(run, company):
    """A scale of 1 to 5 instead of -2 to 2: shares and customers alike, means three points higher."""
    usual = run()

    def settings(folder):
        text = (folder / "dataset.yml").read_text(encoding="utf-8")
        assert "[-2, 2]" in text
        (folder / "dataset.yml").write_text(text.replace("[-2, 2]", "[1, 5]"))

    moved = run(events=lambda rows: rows.assign(valence=rows["valence"] + 3), settings=settings)
    ours, same = rows_of(moved, "emotion_curve"), rows_of(usual, "emotion_curve")
    pd.testing.assert_series_equal(ours["share_negative"], same["share_negative"])
    assert ours["share_negative"].max() > 0.3
    assert (ours["estimate"] - same["estimate"]).to_numpy() == pytest.approx(3)
    assert moved["table"]["emotion_curve"]["units"]["estimate"] == "score"  # no "+" before a mean of 3
    for table in ("hesitation", "valley_cost", "consistency", "touchpoint_losses"):
        pd.testing.assert_frame_equal(rows_of(moved, table), rows_of(usual, table))
    assert set(moved["finding"]) == set(usual["finding"])


ALL = ["stage", "valence", "expectation", "experience", "page", "channel", "campaign", "responded"]


@pytest.mark.parametrize(
    "lost",
    [
        ALL,
        pytest.param(["valence"], marks=pytest.mark.long),
        pytest.param(["page", "session_id", "channel"], marks=pytest.mark.long),
        pytest.param(["expectation", "experience"], marks=pytest.mark.long),
    ],
    ids=lambda names: "-".join(names[:2]),
)
def test_a_missing_column_leaves_out_its_part_and_nothing_else(run, lost):
    pieces = run(events=lambda rows: rows.drop(columns=lost), by="region")
    assert "journey.f2_level" in pieces["finding"]
    assert "journey.decision" in pieces["finding"]
    assert "f2" in pieces["table"]


def test_groups_are_told_apart_by_a_test_or_not_at_all(run):
    pieces = run(by="customer_type")
    said = {key for key in pieces["finding"] if key.startswith("differences")}
    assert said == {f"differences[of={what}]" for what in ("feeling", "f2")}


def test_exits_say_that_they_count_who_never_reaches_the_goal(run):
    pieces = run()
    funnel = rows_of(pieces, "funnel").set_index("step")["n"]
    exits = rows_of(pieces, "exits").set_index("page")["estimate"]
    for page in set(exits.index) & set(funnel.index):
        assert exits[page] == pytest.approx(1 - funnel["done"] / funnel[page], abs=0.02)
    assert "how many leave each" not in json.dumps(pieces["notice"])
