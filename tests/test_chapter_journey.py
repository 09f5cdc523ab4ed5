"""Chapter 2 on data that go wrong: each case ends in a report that says so, or in a message."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cxlib import display
from cxlib.samples import write_sample

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


@pytest.fixture
def run(company, tmp_path, monkeypatch):
    """`run(events=function, period_start=…)`: the report's pieces, as `kind -> key -> record`."""

    def _run(events=None, orders=None, deals=None, **parameters):
        changes = {"events": events, "orders": orders, "deals": deals}
        for source in company.iterdir():
            change = changes.get(source.stem)
            if change is None:
                (tmp_path / source.name).write_bytes(source.read_bytes())
            else:
                change(pd.read_parquet(source)).to_parquet(tmp_path / source.name)
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
    assert {"journey.f2_level", "journey.state_least"} <= set(pieces["finding"])


def test_some_unknown_stages_touchpoints_and_no_flags_are_said(run):
    def change(rows):
        lost = np.arange(len(rows)) % 3 == 0
        rows["stage"] = rows["stage"].where(~lost)
        rows["touchpoint"] = rows["touchpoint"].replace("ad", "billboard")
        return rows.drop(columns=["responded", "opted_out"])

    def wait(rows):
        return rows.assign(followed_up_on=pd.NaT, closed_on=pd.NaT, is_won=pd.NA).astype(
            {"is_won": "boolean"}
        )

    pieces = run(events=change, deals=wait, web_steps="cart,cart,done")
    overdue = rows_of(pieces, "overdue_quotes")
    assert overdue["n_deals"].sum() > 10
    assert "deal_id" not in overdue
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
    assert set(pieces["finding"]) <= {"journey.follow_up", "journey.decision_unknown"}


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
    assert limit.loc["leads_to_conviction", "limit"] == 0.35
    f2 = rows_of(pieces, "f2").set_index("days")["estimate"]
    assert limit.loc["leads_to_conviction", "estimate"] == f2[180]
    assert "journey.left_out" in pieces["notice"]
    roles = rows_of(pieces, "roles")
    assert set(roles.loc[roles["n"].isna(), "verdict"]) <= {"unknown"}
    assert {"curve_features", "contact_pressure", "first_exits"} <= set(pieces["table"])


def test_an_earlier_last_day_has_no_deals_open_that_are_won_and_intervals_follow_the_level(run):
    small = {"period_end": pd.Timestamp("2026-06-30").date(), "min_cell": 5}
    pieces = run(**small, conf_level=0.5, lang="ja")
    ageing = rows_of(pieces, "deal_ageing")
    assert "unknown_stage" in set(ageing["stage"]) and not {"won", "lost"} & set(ageing["stage"])
    ends = rows_of(pieces, "deal_ends")
    assert "n_events" not in ends
    wide = rows_of(run(**small), "deal_ends")
    assert (wide["conf_high"] - wide["conf_low"] > ends["conf_high"] - ends["conf_low"]).all()
