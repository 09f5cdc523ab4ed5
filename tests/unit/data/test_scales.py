"""Negative is below the middle, whatever scale a data set declares."""

import numpy as np
import pandas as pd
import pytest

from cxlib import open_data
from cxlib.checks import ParameterError
from cxlib.data.scales import neutral_score, with_scales
from cxlib.data.scope import chosen_rows
from cxlib.journey.checklist import hesitation_answered
from cxlib.journey.curve import emotion_curve
from cxlib.journey.second_purchase.after_stage import f2_after_stage
from cxlib.journey.second_purchase.lapse import lapse_after_stage

SCALES = [(-2, 2), (0, 10), (1, 7), (-3, 3), (0, 100), (1, 5), (1, 4), (1, 10)]


def answers(scale, seed=0, n=300):
    """Answers on five even places of a scale, with orders after some of them."""
    rng = np.random.default_rng(seed)
    place = rng.integers(-2, 3, (n, 2))
    low, high = scale
    score = (low + high) / 2 + place * (high - low) / 4
    rows = pd.DataFrame(score, columns=["buy", "use"]).rename_axis("customer_id").reset_index()
    rows = rows.melt("customer_id", var_name="stage", value_name="valence")
    rows["occurred_at"] = pd.Timestamp("2026-01-02") + pd.to_timedelta(np.arange(2 * n) % 40, unit="D")
    orders = pd.DataFrame({"customer_id": range(n), "ordered_at": pd.Timestamp("2026-01-01"), "amount": 1.0})
    again = orders[::2].assign(ordered_at=pd.Timestamp("2026-03-01"))
    return with_scales(rows, {"valence": scale}), pd.concat([orders, again])


def shares(scale):
    events, orders = answers(scale)
    window = {"stage": "buy", "as_of": "2026-12-31"}
    return [
        emotion_curve(events, stage_order=["buy", "use"])["share_negative"],
        f2_after_stage(events, orders, **window)[["group", "estimate", "n"]],
        lapse_after_stage(events, orders, lapse_days=60, **window)[["estimate", "n_events"]],
        hesitation_answered(events, stage="buy")[["estimate", "n"]],
    ]


@pytest.mark.parametrize("scale", SCALES)
def test_a_rescaled_copy_has_the_same_negative_answers(scale):
    for ours, same in zip(shares(scale), shares((-2, 2)), strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(ours), pd.DataFrame(same))
    assert shares(scale)[0].iloc[0] == pytest.approx(0.4, abs=0.1)  # two of five places


@pytest.mark.parametrize(("scale", "middle"), [((1, 5), 3), ((1, 10), 5.5), ((0, 100), 50), ((-3, 3), 0)])
def test_the_middle_of_a_scale(scale, middle):
    rows = with_scales(pd.DataFrame({"valence": [1.0]}), {"valence": scale, "csat_score": (1, 5)})
    assert neutral_score(rows, "valence") == middle
    assert neutral_score(rows, "valence", 2) == 2
    assert neutral_score(pd.DataFrame({"valence": [1.0]}), "valence") == 0


def test_half_at_the_lowest_and_half_at_the_highest_answer_are_half_negative(tmp_path):
    (tmp_path / "dataset.yml").write_text(
        "{name: x, currency: JPY, timezone: UTC, extracted_at: 2026-10-01, valence_scale: [1, 5],"
        " expectation_scale: [0, 10]}"
    )
    rows = [
        f"{i},c{i},2026-08-0{1 + i % 9},{stage},mail,{1 + 4 * (i % 2)},9,10"
        for i in range(60)
        for stage in ["buy"]
    ]
    (tmp_path / "events.csv").write_text(
        "event_id,customer_id,occurred_at,stage,touchpoint,valence,expectation,experience\n" + "\n".join(rows)
    )
    data_set = open_data(tmp_path)
    curve = emotion_curve(data_set.table("events"), stage_order=["buy", "use"])
    assert curve["share_negative"].iloc[0] == 0.5
    people = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)]})
    chosen = chosen_rows(data_set, "events", people)
    assert emotion_curve(chosen, stage_order=["buy", "use"])["share_negative"].iloc[0] == 0.5


def test_what_follows_a_stage_is_unknown_where_one_customer_is_followed_that_long():
    people = [f"c{i}" for i in range(100)]
    orders = pd.DataFrame({"customer_id": people, "ordered_at": pd.Timestamp("2026-05-20"), "amount": 1.0})
    orders.loc[0, "ordered_at"] = pd.Timestamp("2025-06-01")
    again = pd.DataFrame({"customer_id": ["c0"], "ordered_at": pd.Timestamp("2026-05-01"), "amount": 1.0})
    events = pd.DataFrame({"customer_id": people, "stage": "buy", "valence": -1.0})
    events["occurred_at"] = pd.Timestamp("2026-05-21")
    events.loc[0, "occurred_at"] = pd.Timestamp("2025-06-02")
    window = {"stage": "buy", "as_of": "2026-06-20", "horizon_days": 365}
    after = f2_after_stage(events, pd.concat([orders, again]), **window)
    assert after["estimate"].isna().all()  # 99 were followed for a month; the last one at risk bought


@pytest.mark.parametrize("scores", [[1, 5], [0, 10], [1.0, None, 3.0]])
def test_a_scale_of_no_declared_middle_is_asked_for_rather_than_nobody_called_negative(scores):
    rows = pd.DataFrame({"valence": scores})
    with pytest.raises(ParameterError, match="Give its middle as `neutral`"):
        neutral_score(rows, "valence")
    assert neutral_score(rows, "valence", 3) == 3
    assert neutral_score(pd.DataFrame({"valence": [1, 2, None]}), "valence") == 0
    assert neutral_score(pd.DataFrame({"valence": [-5, 5]}), "valence") == 0
