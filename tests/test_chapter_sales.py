"""Chapter 8 on what companies with a CRM have: every case ends in a report, a notice or a message."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import NotEnoughData
from cxlib.report import report as display
from cxlib.runner.cli import main

ROOT = Path(__file__).parents[1]
CHAPTER = ROOT / "notebooks" / "08_sales.ipynb"
FIXTURES = ROOT / "tests" / "fixtures" / "exports"
LESSON = {"teach", "exercise", "solution"}
#: What a company has that sells to companies and keeps a CRM.
CRM = ("customers", "deals", "deal_stages", "activities", "tickets")


def _cells():
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and not tags & LESSON:
            yield tags, compile("".join(cell["source"]), cell["id"], "exec")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The sample company, of which only what a CRM holds is kept."""
    folder = tmp_path_factory.mktemp("company") / "crm"
    folder.mkdir()
    for name in ("dataset.yml", *(f"{table}.parquet" for table in CRM)):
        shutil.copy(ROOT / "data" / "sample" / name, folder)
    people = pd.read_parquet(folder / "customers.parquet")
    people[people["customer_type"] == "business"].to_parquet(folder / "customers.parquet")
    return folder


@pytest.fixture(scope="module")
def done():
    """Reports on the company as it is, by their parameters: several tests read the same one."""
    return {}


@pytest.fixture
def run(company, done, tmp_path, monkeypatch):
    """`run(deals=function, lang=…)`: the report's pieces, as `kind -> key -> record`."""

    def _run(folder=None, without=(), **asked):
        if folder or without or set(CRM) & set(asked):
            return _new(folder, without, **asked)
        known = tuple(sorted(asked.items()))
        if known not in done:
            done[known] = _new(**asked)
        return done[known]

    def _new(folder=None, without=(), **asked):
        changes = {name: asked.pop(name) for name in CRM if name in asked}
        data = tmp_path / f"data{len(list(tmp_path.iterdir()))}"
        shutil.copytree(folder or company, data)
        for name in without:
            (data / f"{name}.parquet").unlink()
        for name, change in changes.items():
            change(pd.read_parquet(data / f"{name}.parquet")).to_parquet(data / f"{name}.parquet")
        pieces = {"finding": {}, "notice": {}, "table": {}, "figure": {}, "header": {}}

        def keep(data, raw, metadata):
            pieces[metadata["cx"]["kind"]][metadata["cx"]["key"]] = metadata["cx"]

        monkeypatch.setattr(display, "_send", keep)
        monkeypatch.setattr(display, "to_picture", lambda figure, as_png=False: (b"", "image/svg+xml"))
        names = {}
        for tags, code in _cells():
            exec(code, names)
            if "parameters" in tags:
                names |= {"data": str(data), **asked}
        return pieces | {"names": names}

    return _run


def lacking(pieces):
    """Keys of what a report says it could not show for want of data."""
    return sorted(key for key, one in pieces["notice"].items() if one["level"] == "not_enough_data")


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_a_company_with_a_crm_and_no_shop_fills_the_report(run, lang):
    pieces = run(lang=lang)
    assert lacking(pieces) == []
    tables = {
        "losses",
        "forecast",
        "lists",
        "deal_outcomes",
        "win_rates_by",
        "stage_conversion",
        "deal_ageing",
    }
    tables |= {
        "deal_sizes",
        "follow_up",
        "first_weeks",
        "owner_shares",
        "forecast_accuracy",
        "past_forecasts",
    }
    assert tables <= set(pieces["table"])
    assert {"deal_funnel", "deal_clock", "deal_ages", "forecasts"} == set(pieces["figure"])
    decided = {f"sales.decide[decision={name}]" for name in ("stage", "forecast", "list")}
    assert decided <= set(pieces["finding"])
    assert "sales.notes.without_leads" in pieces["notice"]


def test_without_history_stages_are_not_guessed_and_the_rest_goes_on(run):
    pieces = run(without=("deal_stages", "activities", "tickets"))
    assert lacking(pieces) == []
    assert {"sales.notes.without_history", "sales.stages_unknown"} <= set(pieces["notice"])
    assert {"forecast", "deal_outcomes", "owner_shares"} <= set(pieces["table"])
    gone = {"first_weeks", "met_with_ticket", "losses", "stage_conversion"}
    assert sorted(gone & set(pieces["table"])) == []


def test_no_deals_end_the_report_with_what_it_needs(run):
    with pytest.raises(NotEnoughData, match="deal_id"):
        run(without=("deals",))


def bad(name):
    """Change the deals into one of the bad inputs."""

    def change(rows):
        if name == "all_won":
            return rows.assign(is_won=rows["is_won"].mask(rows["is_won"].notna(), other=True))
        if name == "all_lost":
            return rows.assign(is_won=rows["is_won"].mask(rows["is_won"].notna(), other=False))
        if name == "all_open":
            return rows.assign(
                is_won=pd.array([pd.NA] * len(rows), dtype="boolean"), closed_on=pd.NaT
            ).astype({"closed_on": rows["closed_on"].dtype})
        if name == "no_amounts":
            return rows.assign(amount=np.nan)
        if name == "no_owner":
            return rows.assign(owner=rows["owner"].where(rows.index % 3 > 0))
        if name == "other_stages":
            return rows.assign(stage="Stage " + rows["stage"].astype(str))
        if name == "strangers":
            return rows.assign(
                customer_id="X" + rows["customer_id"].astype(str).where(rows.index % 2 > 0, "1")
            )
        return rows.head(3)

    return change


SAID = {
    "all_won": None,
    "all_lost": "sales.no_forecast",
    "all_open": "sales.no_forecast",
    "no_amounts": "sales.no_amounts",
    "no_owner": "sales.notes.without_owner",
    "other_stages": "sales.notes.unknown_stages",
    "few": "sales.no_forecast",
}


LONG = ("all_won", "all_lost", "no_owner", "other_stages", "few")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in SAID]
)
def test_bad_deals_end_in_a_report_that_says_so(run, name):
    pieces = run(deals=bad(name))
    said = set(pieces["notice"])
    assert SAID[name] is None or SAID[name] in said, sorted(said)
    for record in pieces["finding"].values():
        assert "nan" not in record["text"].lower(), record["text"]


def test_deals_of_unknown_customers_stay_in_totals_and_in_deal_tables(run):
    def lose(rows):
        return rows[rows.index % 2 > 0]

    pieces, whole = run(customers=lose), run()
    assert "sales.notes.deals_of_others" in pieces["notice"]
    for name in ("deal_outcomes", "deal_ageing", "forecast"):
        ours, theirs = (pd.DataFrame(one["table"][name]["rows"]) for one in (pieces, whole))
        pd.testing.assert_frame_equal(ours, theirs)


def test_an_earlier_last_day_has_no_deals_open_that_are_won(run):
    pieces = run(period_end=pd.Timestamp("2026-06-30").date(), min_cell=5)
    ageing = pd.DataFrame(pieces["table"]["deal_ageing"]["rows"])
    assert "unknown_stage" in set(ageing["stage"]) and not {"won", "lost"} & set(ageing["stage"])
    assert pieces["finding"]["sales.forecast"]["values"]["last_day"] == "2026-09-30"


def test_expected_days_of_open_deals_change_nothing_and_are_noticed(run):
    def plan(rows):
        late = rows["created_on"] + pd.Timedelta(days=60)
        return rows.assign(closed_on=rows["closed_on"].where(rows["is_won"].notna(), late))

    planned, usual = run(deals=plan), run()
    for table in ("deal_ageing", "deal_outcomes", "forecast"):
        assert planned["table"][table] == usual["table"][table]
    assert "tables.planned_close" in planned["notice"]


FORMS = [("hubspot", "ja"), ("salesforce", "en"), ("salesforce-report-ja", "ja"), ("zoho", "en")]
CASES = [FORMS[0], *(pytest.param(*one, marks=pytest.mark.long) for one in FORMS[1:])]
CASES += [pytest.param(name, {"en": "ja", "ja": "en"}[lang], marks=pytest.mark.long) for name, lang in FORMS]


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_exports_of_crm_systems_run_into_the_report_and_keep_every_open_deal(
    run, name, lang, tmp_path, capsys
):
    import yaml

    options = yaml.safe_load((FIXTURES / name / "expected.yml").read_text("utf-8"))["options"]
    target = tmp_path / "imported"
    assert main(["import", "--from", str(FIXTURES / name / "export"), "--to", str(target), *options]) == 0
    capsys.readouterr()
    pieces = run(folder=target, lang=lang, min_cell=5)
    assert lacking(pieces) == []
    names = pieces["names"]
    deals = names["data_set"].table("deals")
    open_now = deals.loc[deals["is_won"].isna(), "deal_id"]
    assert len(open_now) > 0
    assert set(names["open_now"]["deal_id"]) == set(open_now)
