"""Colours by role, fonts of both languages, and the few drawing helpers every chart shares."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from cxlib.language import clean_text, format_value

#: Colour by role (Okabe and Ito's palette: told apart with every kind of colour blindness and in grey).
ROLES: Mapping[str, str] = {
    "promoter": "#0072B2",
    "passive": "#999999",
    "detractor": "#D55E00",
    "positive": "#0072B2",
    "negative": "#D55E00",
    "total": "#222222",
    "neutral": "#999999",
    "highlight": "#E69F00",
}
#: For groups without a role, in this order; pair them with markers or direct labels.
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#222222", "#999999")
FONTS = ("IPAexGothic", "DejaVu Sans")
SVG_LIMIT = 400_000  # bytes above which a picture of dots weighs less
#: What no viewer draws of an SVG; decimals beyond two, but those of a scale; paths, and their commands.
_UNDRAWN = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|(?<=<g) id=\"[^\"]*\"|(?<=[\w)][:;]) ", re.DOTALL)
_DECIMALS = re.compile(r"scale\([^)]*\)|(\d\.\d\d)\d+")
_PATH, _COMMAND = re.compile(r'(?<=\sd=")[^"]*'), re.compile(r"\s*([A-Za-z])\s*")

_RC: dict[str, Any] = {
    "figure.figsize": (7.2, 4.2),
    "figure.dpi": 100,
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.formatter.use_locale": False,
    "axes.formatter.use_mathtext": False,
    "grid.color": "#e5e5e5",
    "svg.fonttype": "path",
    "svg.hashsalt": "cx-handbook",
    "text.usetex": False,
    "text.parse_math": False,
}


@cache
def register_fonts() -> tuple[str, ...]:
    """Make the bundled Japanese font known to matplotlib; return those of `FONTS` that are there.

    The font's package would set the font for everything on import; only its file is used.
    """
    import importlib.util

    spec = importlib.util.find_spec("matplotlib_fontja")
    file = Path(spec.origin).parent / "fonts" / "ipaexg.ttf" if spec and spec.origin else None
    if file is not None and file.is_file():
        font_manager.fontManager.addfont(str(file))
    known = set(font_manager.get_font_names())
    return tuple(name for name in FONTS if name in known)


def set_theme(lang: str = "en") -> None:
    """Set fonts and styles for charts in `lang`; call it once, before drawing.

    The Japanese font goes first for `ja` and second for `en`, so that Japanese category names in an English
    chart still have their glyphs. Text is never read as mathematics: a `$` in a name stays a `$`.
    """
    import seaborn as sns

    known = register_fonts()
    fonts = list(known if lang == "ja" else known[::-1])
    settings = {**_RC, "font.family": fonts, "font.sans-serif": fonts}
    sns.set_theme(style="whitegrid", palette=list(SERIES), rc=settings)


def new_axes(ax: Axes | None = None, *, figsize: tuple[float, float] | None = None) -> Axes:
    """`ax` itself, or the axes of a new figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=figsize, layout="constrained")[1]


def small_multiples(
    cells: Sequence[tuple[str, Any]],
    draw: Callable[[Axes, Any], None],
    *,
    row_height: float,
    columns: int = 3,
) -> Figure:
    """Draw each of `cells` (title, data) by `draw` into axes of its own; all share both scales.

    `row_height` is in inches; spare places of the last row stay empty.
    """
    from matplotlib import pyplot

    columns = max(1, min(columns, len(cells)))
    rows = max(1, -(-len(cells) // columns))
    size = (7.6, 1.1 + rows * row_height)
    figure, grid = pyplot.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    places = list(grid.flat)
    for ax, (title, data) in zip(places, cells, strict=False):
        draw(ax, data)
        ax.set_title(title, fontsize=10)
    for place, spare in enumerate(places[len(cells) :], start=len(cells)):
        if place >= columns:
            places[place - columns].tick_params(labelbottom=True)
        spare.remove()
    return figure


def colours(palette: Mapping[str, str] | None = None) -> dict[str, str]:
    """`ROLES` with a caller's own colours for some of the roles."""
    return {**ROLES, **(palette or {})}


def draw_interval(
    ax: Axes,
    position: float,
    low: float,
    high: float,
    *,
    horizontal: bool = True,
    colour: str = ROLES["total"],
) -> None:
    """Draw one interval as a line across `position`; an interval with a missing end is not drawn."""
    if low != low or high != high:
        return
    ends, place = [low, high], [position, position]
    ax.plot(
        *((ends, place) if horizontal else (place, ends)), color=colour, linewidth=1.6, solid_capstyle="butt"
    )


def draw_points(
    ax: Axes,
    places: Sequence[float],
    rows: pd.DataFrame,
    *,
    colour: str | Sequence[str],
    interval_colour: str | None = None,
    middle: str = "estimate",
    ends: str = "",
    marker: str = "o",
    size: float = 7,
) -> None:
    """Draw each row's point with its interval at its place from the top, in one colour or one each.

    `ends` begins the names of the limits, as `shrunk_` does; intervals may have a colour of their own. A
    point without an interval is hollow: nothing is claimed of it.
    """
    tones = [colour] * len(rows) if isinstance(colour, str) else colour
    for place, row, tone in zip(places, rows.to_dict("records"), tones, strict=True):
        line = interval_colour or tone
        limits = row[f"{ends}conf_low"], row[f"{ends}conf_high"]
        draw_interval(ax, place, *limits, colour=line)
        fill = "white" if any(limit != limit for limit in limits) else tone
        ax.plot([row[middle]], [place], marker, color=tone, markersize=size, markerfacecolor=fill)


def name_rows(ax: Axes, names: Sequence[str], *, above: float = 0.6) -> None:
    """Name the rows of a chart from the top down; no line crosses them."""
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -above))
    ax.grid(visible=False, axis="y")


def draw_band(ax: Axes, x: Any, low: Any, high: Any, *, colour: str = ROLES["total"]) -> None:
    """Draw a confidence band along `x`; gaps stay gaps."""
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)


def label_end(ax: Axes, x: float, y: float, label: object, *, colour: str = ROLES["total"]) -> None:
    """Write a series' name beside its last point instead of in a legend."""
    ax.annotate(
        clean_text(label, limit=40),
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        annotation_clip=False,
    )


def format_axis(axis: Any, unit: str, lang: str = "en", *, currency: str | None = None) -> None:
    """Write an axis' tick labels in the unit and language, as tables do (`ax.yaxis`, `"share"`)."""

    def write(value: float, _: int | None = None) -> str:
        shown = format_value(value, unit, lang, currency=currency, worded=False)
        return shown.replace(".0%", "%")

    axis.set_major_formatter(FuncFormatter(write))


@cache
def _glyphs() -> frozenset[int]:
    """Return every character the two fonts can draw."""
    from matplotlib.ft2font import FT2Font

    points: set[int] = set()
    for name in register_fonts():
        points |= set(FT2Font(font_manager.findfont(name)).get_charmap())
    return frozenset(points)


def drawable(label: str) -> str:
    """`label` with every character no font can draw replaced by `□`, so that charts never warn or lie.

    Examples
    --------
    >>> drawable("顧客 ok"), drawable("🎈")
    ('顧客 ok', '□')
    """
    return "".join(mark if mark == "\n" or ord(mark) in _glyphs() else "□" for mark in label)


def make_drawable(figure: Figure) -> None:
    """Replace undrawable characters in every text of a figure, tick labels and legends included."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if any(drawable(label) != label for label in labels):
                axis.set_ticks(axis.get_ticklocs(), [drawable(label) for label in labels])
    for artist in figure.findobj(Text):
        artist.set_text(drawable(artist.get_text()))


def lighter_svg(svg: str) -> str:
    """Drop what no viewer draws, and decimals beyond a hundredth of a point.

    Examples
    --------
    >>> lighter_svg('<?xml?> <svg> <!-- a --> <path d="M 1.2345 2 L 3 4 z "/> </svg>')
    '<svg><path d="M1.23 2L3 4z"/></svg>'
    """
    svg = _UNDRAWN.sub("", svg[svg.index("<svg") :])
    svg = _DECIMALS.sub(lambda found: found[1] or found[0], svg)
    svg = _PATH.sub(lambda found: _COMMAND.sub(r"\1", found[0]).strip(), svg)
    return re.sub(r">\s+<", "><", svg).strip()


def to_picture(figure: Figure, *, as_png: bool = False) -> tuple[bytes, str]:
    """Draw a figure as SVG, its text as outlines, or as PNG where that is lighter; the same bytes every time.

    Returns
    -------
    tuple of bytes and str
        The file and its media type.
    """
    make_drawable(figure)
    buffer = io.BytesIO()
    if not as_png:
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
        picture = lighter_svg(buffer.getvalue().decode("utf-8")).encode("utf-8")
        if len(picture) <= SVG_LIMIT:
            return picture, "image/svg+xml"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue(), "image/png"
