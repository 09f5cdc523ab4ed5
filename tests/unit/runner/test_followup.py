"""`cx followup`: dates of six and twelve months, and what was promised against what is measured."""

import json

import pandas as pd
import pytest

from cxlib.runner.analysis.followup import due_dates, followup
from cxlib.runner.cli import main
from cxlib.samples.simulate import write_sample


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = write_sample(tmp_path_factory.mktemp("company"), n_customers=900, seed=5)
    register = pd.read_parquet(folder / "initiatives.parquet")
    promised = {"I1": 1.0, "I3": 1e6}
    register["promised_effect"] = register["initiative_id"].map(promised)
    register.to_parquet(folder / "initiatives.parquet")
    return folder


@pytest.mark.parametrize(
    ("started", "found"),
    [
        ("2025-10-15", [[6, "past"], [12, "near"]]),
        ("2025-09-30", [[12, "past"]]),
        ("2025-12-31", [[6, "past"]]),
        ("2026-04-15", [[6, "near"]]),
        ("2026-06-15", []),
        ("2020-01-01", [[12, "past"]]),
        ("2025-08-31", [[12, "past"]]),  # February has no 31st; the year is over all the same
    ],
)
def test_dates_near_and_past(started, found):
    register = pd.DataFrame({"initiative_id": ["a"], "name": ["A"], "started_on": pd.to_datetime([started])})
    due = due_dates(register, last_day="2026-09-30", near_days=31)
    assert due[["horizon_months", "state"]].to_numpy().tolist() == found


def test_measured_is_what_the_register_says_and_stands_against_the_promise(company):
    rows = followup(company, near_days=10)
    assert rows == sorted(rows, key=lambda row: (row["due_on"], row["initiative"]))
    by = {(row["initiative"], row["horizon_months"]): row for row in rows}
    coaching = next(row for row in rows if row["promised"] == 1.0 and row["state"] == "past")
    assert coaching["kept"] in ("target_met", "undecided")
    assert coaching["conf_low"] < coaching["estimate"] < coaching["conf_high"]
    assert {row["kept"] for row in rows if row["promised"] is None} <= {None}
    missed = [row for row in rows if row["promised"] == 1e6 and row["estimate"] is not None]
    assert {row["kept"] for row in missed} <= {"target_missed", "not_enough_data"}
    assert len(by) == len(rows)


def test_the_command_prints_lines_or_json_in_both_languages(company, capsys):
    assert main(["followup", "--data", str(company), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["followup", "--data", str(company), "--lang", "ja", "--as-of", "2026-03-31"]) == 0
    said = capsys.readouterr().out
    assert "約束に対して" in said and "nan" not in said and "None" not in said


def test_nothing_due_is_said_and_a_wrong_number_of_days_too(company, capsys):
    assert main(["followup", "--data", str(company), "--as-of", "2025-06-30", "--days", "0"]) == 0
    assert "No initiative" in capsys.readouterr().out
    assert main(["followup", "--data", str(company), "--days", "-1"]) == 2


def test_without_initiatives_there_is_nothing_to_follow(copy_of, company):
    assert followup(copy_of(company, initiatives=None, enrolments=None)) == []
