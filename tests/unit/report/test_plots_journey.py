import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from cxlib.journey.curve import emotion_curve
from cxlib.journey.second_purchase.f2_curve import repeat_curve
from cxlib.report.plots.journey import plot_emotion_curve, plot_repeat_curve, plot_touchpoint_losses
from cxlib.report.plots.theme import ROLES, set_theme

STAGES = ["buy", "wait", "use"]


@pytest.fixture(autouse=True)
def closed_figures():
    with mpl.rc_context():
        yield
    pyplot.close("all")


@pytest.fixture
def events():
    rng = np.random.default_rng(1)
    score = rng.normal([0.5, -0.5, 0.8], 0.5, (40, 3))
    frame = pd.DataFrame(score, columns=STAGES).rename_axis("customer_id").reset_index()
    frame = frame.melt("customer_id", var_name="stage", value_name="valence")
    return frame.assign(channel=np.where(frame["customer_id"] % 2, "ec", "store"))


@pytest.fixture
def orders():
    first = pd.Timestamp("2026-01-01")
    rows = [(f"c{i}", first) for i in range(20)] + [
        (f"c{i}", first + pd.Timedelta(days=i)) for i in range(1, 11)
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    return frame.assign(channel=np.where(frame["customer_id"].str[-1].astype(int) % 2, "ec", "store"))


def line(ax, colour, style="-"):
    return next(
        art
        for art in ax.lines
        if art.get_color() == colour and art.get_linestyle() == style and len(art.get_xdata()) > 2
    )


def test_emotion_curve_draws_estimates_counts_and_valley(events):
    curve = emotion_curve(events, stage_order=STAGES)
    ax = plot_emotion_curve(curve, valleys=["wait"], labels={"wait": "Waiting for the parcel"})
    pooled, paired = (curve[curve["metric"] == name]["estimate"].to_numpy() for name in ("pooled", "paired"))
    assert line(ax, ROLES["total"]).get_ydata() == pytest.approx(pooled)
    assert line(ax, ROLES["positive"], "--").get_ydata() == pytest.approx(paired)
    assert [tick.get_text() for tick in ax.get_xticklabels()][1] == "Waiting for\nthe parcel\nn = 40"
    marked = [
        patch for patch in ax.patches if patch.get_facecolor()[:3] == mpl.colors.to_rgb(ROLES["highlight"])
    ]
    assert len(marked) == 1
    assert {text.get_text() for text in ax.texts} == {"all answers", "same customers"}


def test_emotion_curve_by_group_has_one_line_each(events):
    curve = emotion_curve(events, stage_order=STAGES, by="channel")
    ax = plot_emotion_curve(curve, lang="ja")
    assert {text.get_text() for text in ax.texts} == {"ec", "store"}
    assert ax.get_xticklabels()[0].get_text() == "buy"


def test_lines_of_groups_break_where_a_stage_is_blanked_and_lost_its_group(events):
    curve = emotion_curve(events, stage_order=STAGES, by="channel")
    blanked = (curve["channel"] == "ec") & (curve["stage"] == "wait")
    curve.loc[blanked, ["estimate", "conf_low", "conf_high", "band_conf_low", "band_conf_high", "n"]] = np.nan
    ax = plot_emotion_curve(curve.assign(channel=curve["channel"].mask(blanked, "(small group)")))
    drawn = [art.get_ydata() for art in ax.lines if len(art.get_xdata()) == len(STAGES)]
    assert [int(np.isnan(heights).sum()) for heights in drawn[:2]] == [1, 0]
    assert {text.get_text() for text in ax.texts} == {"ec", "store"}


def test_more_groups_than_colours_still_draw(events):
    many = events.assign(region=[f"r{i % 12}" for i in range(len(events))])
    ax = plot_emotion_curve(emotion_curve(many, stage_order=STAGES, by="region"), ax=pyplot.subplots()[1])
    assert len(ax.texts) == 12
    assert not ax.collections


@pytest.mark.parametrize(("groups", "panels"), [(5, 1), (6, 6), (12, 12)])
def test_six_groups_become_small_multiples_with_a_band_each(events, orders, groups, panels):
    people = [f"r{i % groups}" for i in range(40)]
    asked = events.assign(region=np.array(people)[events["customer_id"]])
    curve = emotion_curve(asked, stage_order=STAGES, by="region")
    bought = orders.assign(region=orders["customer_id"].str[1:].astype(int).map(dict(enumerate(people))))
    repeat = repeat_curve(bought, as_of="2026-03-31", horizons_days=range(1, 61), by="region")
    drawn = [plot_emotion_curve(curve), plot_repeat_curve(repeat)]
    figures = [each.figure if panels == 1 else each for each in drawn]
    assert [len(figure.axes) for figure in figures] == [panels] * 2
    if panels == 1:
        return
    for figure, result in zip(figures, (curve.query("metric == 'pooled'"), repeat), strict=True):
        for ax, (name, rows) in zip(figure.axes, result.groupby("region", sort=False), strict=True):
            assert (ax.get_title() or ax.get_title(loc="left")).startswith(f"{name} (n = ")
            assert len(ax.collections) == 1 and len([art for art in ax.lines if art.get_lw() == 2]) == 1
            own = next(art for art in ax.lines if art.get_lw() == 2)
            np.testing.assert_allclose(own.get_ydata(), rows["estimate"])


def test_empty_curve_draws_without_warning(events):
    ax = plot_emotion_curve(emotion_curve(events.iloc[:0], stage_order=STAGES))
    assert len(ax.get_xticks()) == 3


def test_suppressed_points_are_gaps(events):
    curve = emotion_curve(events, stage_order=STAGES)
    curve.loc[
        curve["stage"] == "wait",
        ["estimate", "conf_low", "conf_high", "band_conf_low", "band_conf_high", "n"],
    ] = np.nan
    ax = plot_emotion_curve(curve)
    assert np.isnan(line(ax, ROLES["total"]).get_ydata()[1])
    assert ax.get_xticklabels()[1].get_text() == "wait\nn = –"


def test_repeat_curve_draws_both_ratios_and_numbers_at_risk(orders):
    curve = repeat_curve(orders, as_of="2026-03-31", horizons_days=range(1, 61))
    ax = plot_repeat_curve(curve)
    assert line(ax, ROLES["total"]).get_ydata() == pytest.approx(curve["estimate"].to_numpy())
    assert line(ax, ROLES["negative"], "--").get_ydata() == pytest.approx(curve["naive"].to_numpy())
    shown = [text.get_text() for text in ax.texts]
    assert shown.count("10") == 2  # at risk at days 30 and 60
    assert ax.get_ylim()[0] == 0


def test_repeat_curve_by_group_leaves_the_naive_ratio_out(orders):
    curve = repeat_curve(orders, as_of="2026-03-31", horizons_days=range(1, 61), by="channel")
    ax = plot_repeat_curve(curve)
    assert "naive ratio" not in {text.get_text() for text in ax.texts}
    assert {"ec", "store", "At risk"} <= {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_figures_render_in_both_languages_without_missing_glyphs(events, orders, lang, tmp_path):
    set_theme(lang)
    curve = repeat_curve(orders, as_of="2026-03-31", horizons_days=range(1, 61))
    plot_emotion_curve(emotion_curve(events, stage_order=STAGES), lang=lang).figure.savefig(
        tmp_path / "a.png"
    )
    plot_repeat_curve(curve, lang=lang).figure.savefig(tmp_path / "b.png")
    assert (tmp_path / "b.png").stat().st_size > 5_000


def test_a_given_axes_is_used(events):
    ax = pyplot.subplots()[1]
    assert plot_emotion_curve(emotion_curve(events, stage_order=STAGES), ax=ax) is ax


def test_touchpoint_losses_in_the_order_of_the_frame_coloured_when_shown():
    frame = pd.DataFrame({"touchpoint": ["delivery", "ad"], "metric": "loss", "estimate": [0.3, 0.05]})
    frame = frame.assign(conf_low=[0.2, -0.1], conf_high=[0.4, 0.2])
    ax = plot_touchpoint_losses(frame, labels={"delivery": "Delivery"})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Delivery", "ad"]
    dots = [art for art in ax.lines if art.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == [0.3, 0.05]
    assert [dot.get_color() for dot in dots] == [ROLES["negative"], ROLES["neutral"]]
    assert ax.yaxis_inverted()
