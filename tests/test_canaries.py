"""Personal data planted in every free column of every table turn up in no artefact of a run."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxlib.runner.notebooks import find_notebooks
from cxlib.samples.simulate import make_company

ROOT = Path(__file__).parents[1]
SETTINGS = yaml.safe_load((ROOT / "data" / "sample" / "dataset.yml").read_text(encoding="utf-8"))
#: Parts of what is planted, as they would show up in any artefact.
CANARIES = (
    "Kanarienvogel",
    "カナリア",
    "canary.example",
    "0901234",
    "090-1234",
    "+81 90",
    "KUNDE",
    "13 Vogelweg",
)
CASES = {
    "plain": [],
    "by a free column": ["-p", "by=motto", "--lang", "ja"],
    "by a known attribute with a group of one": ["-p", "by=region"],
    "everything small": ["-p", "min_cell=1000", "-p", "by=region", "--lang", "ja"],
}
#: Chapters that show what people wrote or were called; all of them, and the other cases, at length.
QUICK = "by a known attribute with a group of one"
TELLING = ["data_inventory", "nps_drivers", "voice"]

pytestmark = pytest.mark.skipif(not find_notebooks(ROOT / "notebooks"), reason="no chapters yet")


@pytest.fixture(scope="module", name="company")
def _company(tmp_path_factory):
    """Write a small company whose ids, names, mails, telephones and remarks are all canaries."""
    folder = tmp_path_factory.mktemp("会社 data")
    tables = make_company(n_customers=600, seed=3)
    numbers = pd.Series(range(len(tables["customers"]))).astype("string")
    people = {
        "full_name": "Yuki Kanarienvogel " + numbers,
        "email": "yuki" + numbers + "@canary.example",
        "phone": "090-1234-" + numbers.str.zfill(4),
        "nickname": "カナリア" + numbers,
        "motto": "カナリア" + numbers,
        "home": "13 Vogelweg, door " + numbers,
    }
    tables["customers"] = tables["customers"].assign(**people)
    tables["customers"].loc[0, "region"] = "Kanarienvogel, Yuki"
    remark = "Kanarienvogel: call +81 90 1234 5678 or 0901234567, mail me at a@canary.example"
    for name, table in tables.items():
        if "customer_id" in table.columns:
            table["customer_id"] = "KUNDE" + table["customer_id"].astype("string")
        if name in ("responses", "orders", "events", "tickets", "deals"):
            table["comment" if name == "responses" else "remark"] = remark
        table.to_parquet(folder / f"{name}.parquet", index=False)
    (folder / "dataset.yml").write_text(yaml.safe_dump({**SETTINGS, "is_sample": False}), encoding="utf-8")
    return folder


def _texts(path):
    """Everything readable in a file, the pictures in it included."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    text = path.read_text(encoding="utf-8", errors="replace")
    inside = [
        base64.b64decode(code).decode("utf-8", errors="ignore")
        for code in re.findall(r"data:image/[a-z+]+;base64,([A-Za-z0-9+/=]+)", text)
    ]
    return "\n".join([text, *inside])


@pytest.mark.parametrize(
    ("case", "chapters"),
    [
        pytest.param(QUICK, TELLING, id="quick"),
        *(pytest.param(case, [], id=case, marks=pytest.mark.long) for case in CASES),
    ],
)
def test_no_artefact_and_no_log_holds_a_canary(company, tmp_path, case, chapters):
    command = [
        sys.executable,
        "-m",
        "cxlib.runner.cli",
        "run",
        *chapters,
        "--data",
        str(company),
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        [*command, *CASES[case]], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode in (0, 4), said
    assert [canary for canary in CANARIES if canary in said] == []
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {".html", ".ipynb", ".json", ".csv", ".parquet"} <= {path.suffix for path in files}
    found = {path.name: [canary for canary in CANARIES if canary in _texts(path)] for path in files}
    assert {name: canaries for name, canaries in found.items() if canaries} == {}


def test_a_check_of_the_tables_names_no_canary(company):
    command = [sys.executable, "-m", "cxlib.runner.cli", "check", str(company)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert [canary for canary in CANARIES if canary in done.stdout + done.stderr] == []


def test_canaries_would_be_found(company):
    """The search sees what is planted, so that finding nothing means something."""
    planted = "".join(_texts(path) for path in company.glob("*.parquet"))
    assert all(canary in planted for canary in CANARIES)
