"""Charts of scores and drivers: artists' places, colours and words, in both languages."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from cxlib.asymmetry import penalty_reward
from cxlib.change import wave_chart
from cxlib.drivers import driver_importance, driver_labels
from cxlib.plots.drivers import plot_importance, plot_penalty_reward
from cxlib.plots.scores import (
    plot_behaviour,
    plot_mix_rate,
    plot_nps,
    plot_score_distribution,
    plot_waves,
)
from cxlib.plots.theme import ROLES, set_theme
from cxlib.scores import nps, score_distribution

matplotlib.use("Agg")
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def make_answers(n=300):
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.integers(1, 6, (n, 2)), columns=["driver_quality", "driver_hours"])
    score = 3 + data["driver_quality"] + 0.2 * data["driver_hours"] + rng.normal(size=n)
    data["nps_score"] = score.round().clip(0, 10)
    return data.assign(region=rng.choice(["east", "west"], n), wave=rng.choice(["1", "2", "3", "4"], n))


def draw(ax, lang):
    set_theme(lang)
    ax.figure.canvas.draw()
    return ax


def colour_of(role):
    return matplotlib.colors.to_rgba(ROLES[role])


@LANGUAGES
def test_nps_points_stand_at_their_estimates(lang):
    set_theme(lang)
    result = nps(make_answers(), by="region")
    ax = draw(plot_nps(result, by="region", lang=lang, total=10.0), lang)
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == pytest.approx(result["estimate"].tolist())
    lengths = [
        line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.6
    ]
    assert lengths[0] == pytest.approx([result["conf_low"][0], result["conf_high"][0]])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0].startswith("east\nn = ") and ax.get_xlabel()


def test_nps_without_groups_and_without_answers():
    data = make_answers()
    assert len(plot_nps(nps(data)).get_yticklabels()) == 1
    plot_nps(nps(data.head(0)))
    plot_nps(nps(data.head(0), by="region"), by="region")


@LANGUAGES
def test_distribution_colours_by_role(lang):
    set_theme(lang)
    result = score_distribution(make_answers())
    ax = draw(plot_score_distribution(result, lang=lang), lang)
    bars = sorted(ax.patches, key=lambda bar: bar.get_x())
    assert [bar.get_height() for bar in bars] == pytest.approx(result["estimate"].tolist())
    roles = ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2
    assert [bar.get_facecolor() for bar in bars] == [colour_of(role) for role in roles]


@LANGUAGES
def test_waves_stand_inside_their_band(lang):
    set_theme(lang)
    result = wave_chart(make_answers())
    ax = draw(plot_waves(result, lang=lang), lang)
    line = next(line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 4)
    assert line.get_ydata() == pytest.approx(result["estimate"].to_numpy())
    assert len(ax.collections) == 1 and "4" in ax.get_title(loc="left")
    plot_waves(result.head(0), lang=lang)


@LANGUAGES
def test_importance_bars_and_words(lang):
    set_theme(lang)
    data = make_answers()
    drivers = ["driver_quality", "driver_hours"]
    result = driver_importance(data, outcome_col="nps_score", driver_cols=drivers, n_boot=50)
    ax = draw(plot_importance(result, lang=lang, labels=driver_labels(drivers, lang)), lang)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(result["importance"].tolist())
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [{"en": "Quality", "ja": "品質"}[lang], "hours"]
    assert ax.patches[0].get_facecolor() == colour_of("positive")
    falling = data.assign(nps_score=10 - data["nps_score"])
    result = driver_importance(falling, outcome_col="nps_score", driver_cols=drivers)
    assert plot_importance(result).patches[0].get_facecolor() == colour_of("negative")


def test_importance_without_numbers_still_draws():
    data = make_answers(3)
    result = driver_importance(data, outcome_col="nps_score", driver_cols=["driver_quality", "driver_hours"])
    assert [bar.get_width() for bar in plot_importance(result).patches] == [0, 0]
    plot_importance(driver_importance(data, outcome_col="nps_score", driver_cols=[]))


@LANGUAGES
def test_penalties_left_rewards_right(lang):
    set_theme(lang)
    result = penalty_reward(
        make_answers(), outcome_col="nps_score", driver_cols=["driver_quality", "driver_hours"], low=2, high=4
    )
    ax = draw(plot_penalty_reward(result, lang=lang, outcome_label="NPS"), lang)
    below = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v"]
    above = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "^"]
    assert below == pytest.approx(result["penalty"].tolist()) and above == pytest.approx(
        result["reward"].tolist()
    )


def test_hostile_labels_stay_text():
    data = make_answers().assign(region="$\\href{x}{y}$ <script>")
    labels = plot_nps(nps(data, by="region"), by="region").get_yticklabels()
    assert "<script>" in labels[0].get_text() or "script" in labels[0].get_text()


def make_lopsided():
    """Scores 0 to 2 given by a few customers each, three answers a customer."""
    scores = [0] * 3 + [1] * 4 + [2] * 5 + [3] * 40 + [5] * 60 + [7] * 50 + [8] * 90 + [9] * 4 + [10] * 120
    return pd.DataFrame({"nps_score": scores, "customer_id": [i // 3 for i in range(len(scores))]})


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_few_low_scores_are_joined_and_the_labels_stay_true(lang):
    """Suppressing scores took them out of the detractors' label; joined they stay in it."""
    answers = make_lopsided()
    overall = nps(answers).iloc[0]
    result = score_distribution(answers, cluster_col="customer_id", min_cell=10)
    assert (result["customers"] >= 10).all() and result["n"].sum() == overall["n"]
    assert result[["score", "score_to"]].to_numpy().tolist() == [[0, 3], [4, 6], [7, 7], [8, 8], [9, 10]]
    ax = draw(plot_score_distribution(result, lang=lang), lang)
    words = " ".join(each.get_text() for each in ax.texts)
    for name in ("promoter", "passive", "detractor"):
        assert f"{overall[f'{name}_share']:.1%}" in words
    assert f"{overall['n']:,}" in ax.get_title(loc="left")
    areas = [bar.get_height() * round(bar.get_width() + 0.2) for bar in ax.patches]
    assert sum(areas) == pytest.approx(1)


def test_no_distribution_where_one_attitude_is_a_few_people():
    few = pd.DataFrame({"nps_score": [3] * 4 + [8] * 30 + [10] * 30})
    assert score_distribution(few, min_cell=10).empty
    assert len(score_distribution(few[few["nps_score"] > 3], min_cell=10)) == 3, (
        "none at all is no small group"
    )


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_mix_and_rate_are_drawn_with_their_intervals(lang):
    rows = {"metric": ["rate", "mix", "total"], "estimate": [2.0, -9, -7], "conf_low": [1.0, -11, -9]}
    ax = draw(plot_mix_rate(pd.DataFrame({**rows, "conf_high": [3.0, -7, -5], "n": 900}), lang=lang), lang)
    assert [bar.get_width() for bar in ax.patches] == [2, -9, -7]
    assert len(ax.get_yticklabels()) == 3


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_behaviour_is_drawn_adjusted_and_as_seen(lang):
    rows = pd.DataFrame({"metric": "repeat", "attitude": ["promoter", "detractor"], "n": [80, 60]})
    rows = rows.assign(estimate=[0.6, 0.4], conf_low=0.3, conf_high=0.7, adjusted=[0.55, np.nan])
    ax = draw(plot_behaviour(rows.assign(adjusted_conf_low=0.5, adjusted_conf_high=0.6), lang=lang), lang)
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx([0.6, 0.55, 0.4])
