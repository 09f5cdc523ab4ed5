"""`cx worklist`: full lists with ids, never in a folder of reports, never over a file unasked."""

import csv
import stat

import pandas as pd
import pytest

from cxlib import open_data
from cxlib.checks import NotEnoughData
from cxlib.runner import cli
from cxlib.runner.analysis.worklists import worklist, worklist_names
from cxlib.sales.quotes import overdue_quotes
from cxlib.samples.simulate import write_sample


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = write_sample(tmp_path_factory.mktemp("company"), n_customers=500, seed=3)
    deals = pd.read_parquet(folder / "deals.parquet")
    deals.loc[0, ["stage", "owner"]] = ["=cmd()", "@x"]
    deals.loc[0, ["is_won", "closed_on", "followed_up_on"]] = [pd.NA, pd.NaT, pd.NaT]
    deals.loc[0, "quoted_on"] = deals.loc[0, "created_on"]
    deals.to_parquet(folder / "deals.parquet")
    return folder


def ask(company, out, name="overdue_quotes", *options):
    return cli.main(["worklist", name, "--data", str(company), "--out", str(out), *options])


def test_a_list_is_written_in_full_for_its_owner_only(company, tmp_path, capsys):
    out = tmp_path / "calls.csv"
    assert ask(company, out) == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
    data_set = open_data(company)
    right = overdue_quotes(data_set.table("deals"), as_of=data_set.as_of)
    assert [row["deal_id"] for row in rows] == right["deal_id"].to_list()
    assert rows[0]["customer_id"] and rows[0]["quoted_on"] == str(right["quoted_on"][0].date())
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    said = capsys.readouterr().out
    assert "personal data" in said and "must not be published" in said
    assert right["deal_id"][0] not in said


def test_cells_that_look_like_formulas_are_text(company, tmp_path):
    assert ask(company, tmp_path / "a.csv") == 0
    written = (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert "'=cmd()" in written and "'@x" in written


def test_an_existing_file_stays_unless_asked(company, tmp_path, capsys):
    out = tmp_path / "calls.csv"
    out.write_text("mine")
    assert ask(company, out) == 6
    assert out.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert ask(company, out, "overdue_quotes", "--force") == 0
    assert "deal_id" in out.read_text(encoding="utf-8-sig")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_link_is_not_followed(company, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("mine")
    (tmp_path / "calls.csv").symlink_to(other)
    assert ask(company, tmp_path / "calls.csv") == 6
    assert ask(company, tmp_path / "calls.csv", "overdue_quotes", "--force") == 0
    assert other.read_text() == "mine"


@pytest.mark.parametrize("place", ["", "run", "run/deeper"])
def test_no_list_in_a_folder_of_reports(company, tmp_path, capsys, place):
    (tmp_path / "out" / "run" / "deeper").mkdir(parents=True)
    (tmp_path / "out" / "run" / "run.json").write_text("{}")
    assert ask(company, tmp_path / "out" / place / "calls.csv") == 6
    assert "reports" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.csv"))


def test_unknown_list_missing_table_and_folder_end_in_a_sentence(company, tmp_path, capsys):
    assert ask(company, tmp_path / "a.csv", "overdue") == 2
    assert "overdue_quotes" in capsys.readouterr().err
    assert ask(company, tmp_path / "no" / "a.csv") == 6
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "dataset.yml").write_text(
        "{name: x, currency: JPY, timezone: UTC, extracted_at: 2026-10-01}"
    )
    assert ask(tmp_path / "bare", tmp_path / "a.csv") == 4
    assert not list(tmp_path.glob("*.csv"))


def test_every_list_holds_ids_and_no_small_group_is_left_out(company):
    data_set = open_data(company)
    for name in worklist_names():
        if name == "hot_leads":  # a small company: too few leads became a deal, which is said
            with pytest.raises(NotEnoughData):
                worklist(data_set, name)
            continue
        rows = worklist(data_set, name)
        assert {"deal_id", "customer_id", "response_id"} & set(rows.columns) or name == "uncoded_phrases", (
            name
        )
        shuffled = _Mixed(data_set)
        pd.testing.assert_frame_equal(worklist(shuffled, name)[rows.columns], rows)
    stalled = worklist(data_set, "stalled_deals")
    assert stalled["is_won"].isna().all() and (stalled["age_days"].diff().dropna() <= 0).all()


class _Mixed:
    """The same data set, its rows in another order: a class because lists ask it for tables."""

    def __init__(self, data_set):
        self.data_set, self.as_of, self.settings = data_set, data_set.as_of, data_set.settings

    def table(self, name):
        return self.data_set.table(name).sample(frac=1, random_state=1).reset_index(drop=True)

    def has(self, *names):
        return self.data_set.has(*names)
