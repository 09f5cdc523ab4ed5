"""Fonts and colours of the charts, and what happens to characters no font has."""

import io
import itertools

import matplotlib as mpl
import pytest
from matplotlib import pyplot

from cxlib.report.plots import theme

pytestmark = pytest.mark.usefixtures("_clean_pyplot")


@pytest.fixture(name="_clean_pyplot")
def _clean_pyplot():
    with mpl.rc_context():
        yield
        pyplot.close("all")


def _luminance(colour):
    red, green, blue = mpl.colors.to_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_both_languages_are_drawn_without_a_missing_glyph(lang):
    theme.set_theme(lang)
    axes = theme.new_axes()
    axes.bar(["顧客", "Zürich – €"], [-1, 2])
    axes.set_title("決めかねている段階の感情 −0.3 ～ 0.5")
    axes.figure.savefig(io.BytesIO(), format="svg")  # warnings are errors
    assert set(mpl.rcParams["font.family"]) == set(theme.FONTS)


def test_seaborn_theme_does_not_undo_the_japanese_font():
    theme.set_theme("ja")
    assert mpl.rcParams["font.family"][0] == "IPAexGothic"


def test_characters_without_a_glyph_become_boxes_everywhere():
    theme.set_theme("en")
    axes = theme.new_axes()
    axes.plot(["🎈 a", "한국"], [1, 2], label="🎈")
    axes.set(title="🎈", xlabel="한", ylabel="ok 東京")
    axes.legend(title="🎈")
    axes.annotate("🎈", (0, 1))
    theme.make_drawable(axes.figure)
    axes.figure.savefig(io.BytesIO(), format="svg")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["□ a", "□□"]
    assert (axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()) == ("□", "□", "ok 東京")


def test_a_dollar_in_a_name_is_not_mathematics():
    theme.set_theme("en")
    axes = theme.new_axes()
    axes.set_title(r"$\href{javascript:x}{y}$ and $5")
    axes.figure.savefig(io.BytesIO(), format="svg")


def test_roles_differ_in_brightness_where_they_are_compared():
    for one, other in [("promoter", "detractor"), ("positive", "negative")]:
        assert theme.ROLES[one] != theme.ROLES[other]
    compared = ["promoter", "passive", "detractor"]
    assert all(
        abs(_luminance(theme.ROLES[one]) - _luminance(theme.ROLES[other])) > 0.05
        for one, other in itertools.combinations(compared, 2)
    )
    assert theme.colours({"total": "#000000"})["total"] == "#000000"


def test_interval_and_band_cope_with_gaps():
    axes = theme.new_axes()
    theme.draw_interval(axes, 1, float("nan"), 2)
    assert not axes.lines
    theme.draw_interval(axes, 1, 0.5, 2)
    assert axes.lines[0].get_xdata().tolist() == [0.5, 2]
    theme.draw_interval(axes, 1, 0.5, 2, horizontal=False)
    assert axes.lines[1].get_ydata().tolist() == [0.5, 2]
    theme.draw_band(axes, [1, 2, 3], [0, float("nan"), 0], [1, float("nan"), 1])
    axes.figure.savefig(io.BytesIO(), format="svg")


def test_axis_ticks_are_written_like_tables():
    axes = theme.new_axes()
    axes.set_ylim(0, 1)
    theme.format_axis(axes.yaxis, "share")
    theme.format_axis(axes.xaxis, "currency", "ja", currency="JPY")
    assert axes.yaxis.get_major_formatter()(0.5, 0) == "50%"
    assert axes.yaxis.get_major_formatter()(0.125, 0) == "12.5%"
    assert axes.xaxis.get_major_formatter()(1500, 0) == "1,500円"


def test_new_axes_returns_the_given_ones():
    axes = theme.new_axes()
    assert theme.new_axes(axes) is axes
    theme.label_end(axes, 1, 2, "x\u202e" + "y" * 100)
    assert len(axes.texts[0].get_text()) == 40
    assert "\u202e" not in axes.texts[0].get_text()
