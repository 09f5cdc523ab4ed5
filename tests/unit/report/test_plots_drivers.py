"""Charts of scores and drivers: artists' places, colours and words, in both languages."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from cxlib.report.plots.drivers import (
    plot_importance,
    plot_importance_panel,
    plot_importance_performance,
    plot_importance_performance_panel,
    plot_penalty_reward,
    plot_penalty_reward_panel,
)
from cxlib.report.plots.scores import (
    plot_behaviour,
    plot_mix_rate,
    plot_nps,
    plot_satisfaction_panel,
    plot_score_distribution,
    plot_waves,
)
from cxlib.report.plots.theme import ROLES, set_theme
from cxlib.voice.drivers.asymmetric import penalty_reward
from cxlib.voice.drivers.by_group import each_large_group
from cxlib.voice.drivers.importance import driver_importance, driver_labels
from cxlib.voice.drivers.performance import importance_performance
from cxlib.voice.scores import ces, csat, nps, score_distribution
from cxlib.voice.waves.control_chart import wave_chart

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


@LANGUAGES
@pytest.mark.parametrize("drivers", [2, 20])
def test_the_words_above_the_penalties_do_not_touch_the_title(lang, drivers):
    set_theme(lang)
    data, names = make_answers(), [f"item_{place}" for place in range(drivers)]
    data = data.assign(**dict.fromkeys(names, data["driver_quality"]))
    result = penalty_reward(data, outcome_col="nps_score", driver_cols=names, low=2, high=4)
    ax = draw(plot_penalty_reward(result, lang=lang, outcome_label="NPS"), lang)
    line = ax.title.get_window_extent().y0  # titles left and centre stand on one line
    assert all(words.get_window_extent().y1 < line for words in ax.texts)


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


def wave_rows(signals):
    rows = {
        "wave": [str(i) for i in range(len(signals))],
        "estimate": 20.0,
        "conf_low": 10.0,
        "conf_high": 30.0,
    }
    limits = {"centre": 20.0, "limit_low": 5.0, "limit_high": 35.0, "n": 100}
    return pd.DataFrame({**rows, **limits, "is_signal": pd.array(signals, dtype="boolean")})


@LANGUAGES
def test_the_title_of_waves_is_calm_only_where_waves_were_judged(lang):
    set_theme(lang)
    calm = {"en": "within the limits", "ja": "偶然の範囲内"}[lang]
    titles = {
        name: plot_waves(wave_rows(signals), lang=lang).get_title(loc="left")
        for name, signals in {
            "few": [None, None],
            "calm": [False] * 5,
            "signal": [False, True, False, True],
            "hidden": [False, None, False, False, False],
        }.items()
    }
    assert calm in titles["calm"] and "5" in titles["calm"]
    assert calm in titles["hidden"] and "4" in titles["hidden"]
    assert calm not in titles["few"] and calm not in titles["signal"]
    assert "2" in titles["signal"] and "4" in titles["signal"]


def in_groups(compute, **options):
    data = make_answers(600).assign(region=["east"] * 300 + ["west"] * 200 + ["north"] * 100)
    asked = {"outcome_col": "nps_score", "driver_cols": ["driver_quality", "driver_hours"], **options}
    each = each_large_group(compute, data, by="region", **asked)
    return each.assign(customers=each["region"].map(data["region"].value_counts()))


LOOK = {"by": "region", "labels": {"driver_quality": "品質", "driver_hours": "Hours"}}


@LANGUAGES
def test_importance_panel_has_an_axes_a_group_and_one_order(lang):
    set_theme(lang)
    each = in_groups(driver_importance, n_boot=20)
    figure = plot_importance_panel(each, lang=lang, **LOOK | {"labels": LOOK["labels"] | {"east": "East"}})
    figure.canvas.draw()
    assert len(figure.axes) == 3
    assert [ax.get_title(loc="left")[:4] for ax in figure.axes] == ["East", "nort", "west"]
    assert "300" in figure.axes[0].get_title(loc="left")
    for ax, (_, part) in zip(figure.axes, each.groupby("region"), strict=True):
        widths = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in ax.patches}
        quality = part.set_index("driver").loc["driver_quality", "importance"]
        assert widths[0] == pytest.approx(quality)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["品質", "Hours"]
    assert "品質" in figure.get_suptitle() and "3" in figure.get_suptitle()


@LANGUAGES
def test_maps_of_groups_tell_drivers_by_marks_and_count_in_the_title(lang):
    set_theme(lang)
    each = in_groups(importance_performance, n_boot=40, goal=90)
    figure = plot_importance_performance_panel(each, lang=lang, **LOOK)
    figure.canvas.draw()
    for ax, (_, part) in zip(figure.axes, each.groupby("region"), strict=True):
        marks = [line for line in ax.lines if line.get_marker() in ("o", "s")]
        assert [line.get_xdata()[0] for line in marks] == pytest.approx(part["performance"].tolist())
        assert marks[0].get_marker() != marks[1].get_marker()
    (legend,) = figure.legends
    assert {entry.get_text() for entry in legend.get_texts()} == {"品質", "Hours"}
    assert "品質" in figure.get_suptitle() and "3" in figure.get_suptitle()
    none = plot_importance_performance_panel(each.assign(probability_fix_first=0.1), lang=lang, **LOOK)
    assert "品質" not in none.get_suptitle()


@LANGUAGES
def test_penalties_by_group_and_the_count_of_kinds(lang):
    set_theme(lang)
    each = in_groups(penalty_reward, low=2, high=4)
    figure = plot_penalty_reward_panel(each, lang=lang, outcome_label="NPS", **LOOK)
    figure.canvas.draw()
    for ax, (_, part) in zip(figure.axes, each.groupby("region"), strict=True):
        below = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v"]
        assert below == pytest.approx(part["penalty"].tolist())
    assert str(each["label"].notna().sum()) in figure.get_suptitle()


@LANGUAGES
def test_the_map_has_a_title_from_the_result_and_corners_beside_the_lines(lang):
    set_theme(lang)
    data = make_answers()
    asked = {"outcome_col": "nps_score", "driver_cols": ["driver_quality", "driver_hours"], "n_boot": 40}
    place = importance_performance(data, goal=90, **asked)
    ax = draw(plot_importance_performance(place, lang=lang, labels=LOOK["labels"]), lang)
    assert "品質" in ax.get_title(loc="left")
    none = plot_importance_performance(importance_performance(data, goal=1, **asked), lang=lang)
    assert none.get_title(loc="left") != ax.get_title(loc="left")
    for axes, goal in ((ax, 90.0), (none, 1.0)):
        axes.figure.canvas.draw()
        line = axes.transData.transform((goal, 0))[0]
        words = {"fix first", "keep up", "low priority", "possible overkill"}
        words |= {"最優先で改善", "維持", "優先度は低い", "過剰の可能性"}
        corners = [each for each in axes.texts if each.get_text() in words]
        assert len(corners) == 4
        for corner in corners:
            box = corner.get_window_extent()
            assert box.x1 < line or box.x0 > line, corner.get_text()


@LANGUAGES
def test_satisfaction_and_effort_side_by_side_without_losing_the_unknown(lang):
    set_theme(lang)
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"csat_score": rng.integers(1, 6, 90), "ces_score": rng.integers(1, 8, 90)})
    data["region"] = ["east"] * 40 + ["west"] * 30 + [None] * 20
    parts = csat(data, by="region", scale=(1, 5)), ces(data, by="region", scale=(1, 7), direction="ease")
    both = pd.concat(parts)
    figure = plot_satisfaction_panel(both, by="region", lang=lang, labels={"east": "East"})
    figure.canvas.draw()
    for ax, part in zip(figure.axes, parts, strict=True):
        points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
        assert points == pytest.approx(part["estimate"].tolist())
    ticks = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert ticks[:2] == ["East", "west"] and ticks[2] in ("(unknown)", "（不明）")
    none = both["estimate"].mask(both["metric"] == "ces")
    alone = plot_satisfaction_panel(both.assign(estimate=none), by="region", lang=lang)
    assert len(alone.axes) == 1
