"""NPS against the numbers of the R package NPS on its own test data (means and formulas only, no code)."""

import pandas as pd
import pytest

from cxlib.voice.scores import nps

pytestmark = pytest.mark.reference


@pytest.fixture
def answers(reference_dir):
    return pd.read_csv(reference_dir("nps_pkg") / "testdata.csv", keep_default_na=False, na_values=[""])


def test_overall(answers):
    row = nps(answers, score_col="REC", method="wald").iloc[0]
    assert row["n"] == 1000
    assert row[["promoter_share", "detractor_share"]].tolist() == pytest.approx([0.462, 0.362], abs=1e-12)
    assert row["estimate"] == pytest.approx(10, abs=1e-9)
    assert row["std_error"] == pytest.approx(2.85307, abs=1e-5)


def test_by_region(answers):
    result = nps(answers, score_col="REC", by="Region").set_index("Region")["estimate"]
    expected = {"APAC": 23.0216, "EMEA": 4.2471, "LATAM": 1.0526, "NAM": 11.0454}
    assert result.to_dict() == pytest.approx(expected, abs=1e-4)
