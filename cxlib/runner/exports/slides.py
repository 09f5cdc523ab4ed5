"""The one page as slides, 1 + 4: headline, chain, scorecard, decisions, evidence; all of it native."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from cxlib.checks import InputError, OutputError
from cxlib.language import text
from cxlib.runner.board import Board, can_have_board
from cxlib.runner.run_files import Run

_FONT = {"en": "Calibri", "ja": "Yu Gothic"}
_TONES = {"good": "1B7F4B", "undecided": "6B7280", "bad": "B45309", "alarm": "B42318", "info": "1F2933"}
_INK, _GREY = "1F2933", "EEF1F4"


def slides(run: Run, lang: str) -> bytes:
    """Return the slides of a run with a scorecard.

    Raises
    ------
    OutputError
        `python-pptx` is not installed; says how to get it.
    InputError
        The run has no scorecard.
    """
    try:
        import pptx
    except ModuleNotFoundError as error:
        raise OutputError("runs.no_pptx") from error
    if not can_have_board(run.results):
        raise InputError("runs.no_scorecard", run=run.name)
    deck = _Deck(pptx.Presentation(), lang)
    board = Board(run.results, lang)
    notes = [board.sample] if board.header.get("is_sample") else []
    deck.title(board.title, board.sentence(board.finding("headline")), [board.about, *notes])
    deck.text(
        board.word("chain"), [f"{number}. {said}" for number, (said, _) in enumerate(board.sentences, 1)]
    )
    heads = [board.word(name) for name in ("kpi", "now")] + [board.interval_word]
    heads += [board.word("target"), board.earlier_day, board.word("verdict"), board.word("moved")]
    columns = ("name", "estimate", "interval", "target", "before", "verdict", "moved")
    deck.table(
        board.word("scorecard"),
        heads,
        [[row[name] for name in columns] for row in board.kpis],
        tones=[row["tone"] for row in board.kpis],
        note=board.tally,
    )
    why = [text("board.what_why", lang, what=row["what"], why=row["why"]) for row in board.acts]
    acts = [[said, row["who"], row["by"]] for said, row in zip(why, board.acts, strict=True)]
    deck.table(
        board.word("decide"),
        [board.word(name) for name in ("what", "who", "by")],
        acts or [[board.word("nothing"), "", ""]],
        widths=(6, 2, 2),
    )
    deck.charts(board.word("evidence"), _charts(board), note=" ".join(board.limits))
    target = io.BytesIO()
    deck.deck.save(target)
    return target.getvalue()


def _charts(board: Board) -> list[tuple[str, Sequence[str], Sequence[float], str]]:
    """Title, names, values and number format of each picture that has data."""
    asked = (
        ("segments", "segment", "estimate", "0%"),
        ("curve", "stage", "estimate", "0.0"),
        ("drivers", "driver", "importance", "0%"),
        ("initiatives", "initiative", "roi", "0%"),
    )
    found: list[tuple[str, Sequence[str], Sequence[float], str]] = []
    for table, of, value, shown in asked:
        rows = [row for row in board.rows(table) if isinstance(row.get(value), int | float)]
        if rows:
            names = [str(row["words"].get(of) or row[of]) for row in rows]
            found.append((board.word(f"picture_{table}"), names, [row[value] for row in rows], shown))
    return found


class _Deck:
    """Slides being made; a class because each needs deck, language and sizes."""

    def __init__(self, deck: Any, lang: str) -> None:
        from pptx.util import Inches

        deck.slide_width, deck.slide_height = Inches(13.333), Inches(7.5)
        self.deck, self.font = deck, _FONT[lang]

    def title(self, title: str, headline: str, notes: Sequence[str]) -> None:
        """Begin: company and period, the one sentence, and what it is about."""
        slide = self._slide(title)
        self._box(slide, (0.7, 2.2, 11.9, 2.4), [headline], size=30)
        self._box(slide, (0.7, 5.6, 11.9, 1.2), notes, size=14)

    def text(self, title: str, lines: Sequence[str]) -> None:
        """Add a slide of sentences."""
        self._box(self._slide(title), (0.7, 1.5, 11.9, 5.5), lines, size=20)

    def table(
        self,
        title: str,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        tones: Sequence[str] = (),
        widths: Sequence[float] = (),
        note: str = "",
    ) -> None:
        """Add a slide with one native table; verdicts in their tone, which shape and word say too."""
        from pptx.dml.color import RGBColor
        from pptx.util import Inches, Pt

        slide = self._slide(title)
        height = min(5.4, 0.45 * (len(rows) + 1))
        places = (Inches(0.7), Inches(1.4), Inches(11.9), Inches(height))
        table = slide.shapes.add_table(len(rows) + 1, len(heads), *places).table
        wide = widths or (3.5, *[1.5] * (len(heads) - 1))
        for number, part in enumerate(wide):
            table.columns[number].width = Inches(11.9 * part / sum(wide))
        for place, cells in enumerate([heads, *rows]):
            for number, words in enumerate(cells):
                cell = table.cell(place, number)
                self._say(cell.text_frame, [words], size=12)
                cell.fill.solid()
                cell.fill.fore_color.rgb = RGBColor.from_string(_GREY if place == 0 else "FFFFFF")
                of_verdict = place > 0 and tones and heads[number] == heads[-2]
                colour = _TONES[tones[place - 1]] if of_verdict else _INK
                for run in cell.text_frame.paragraphs[0].runs:
                    run.font.bold, run.font.color.rgb = place == 0, RGBColor.from_string(colour)
                    run.font.size = Pt(12)
        if note:
            self._box(slide, (0.7, 6.8, 11.9, 0.5), [note], size=12)

    def charts(
        self, title: str, charts: Sequence[tuple[str, Sequence[str], Sequence[float], str]], *, note: str
    ) -> None:
        """Add a slide of up to four native bar charts."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE, XL_TICK_LABEL_POSITION
        from pptx.util import Inches, Pt

        slide = self._slide(title)
        for number, (name, names, values, shown) in enumerate(charts):
            data = CategoryChartData(number_format=shown)
            data.categories = list(reversed(names))
            data.add_series(name, list(reversed(values)))
            left, top = 0.6 + 6.1 * (number % 2), 1.3 + 2.75 * (number // 2)
            frame = slide.shapes.add_chart(
                XL_CHART_TYPE.BAR_CLUSTERED, Inches(left), Inches(top), Inches(6.0), Inches(2.7), data
            )
            chart = frame.chart
            chart.has_legend, chart.has_title = False, True
            chart.font.size, chart.font.name = Pt(10), self.font
            self._say(chart.chart_title.text_frame, [name], size=12)
            chart.plots[0].has_data_labels = True
            chart.plots[0].data_labels.number_format = shown
            chart.plots[0].data_labels.number_format_is_linked = False
            chart.plots[0].gap_width = 60
            chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW  # not upon bars below zero
            chart.value_axis.visible = False
            chart.value_axis.has_major_gridlines = False
        self._box(slide, (0.7, 6.85, 11.9, 0.5), [note], size=10)

    def _slide(self, title: str) -> Any:
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[5])
        box = slide.shapes.title
        self._place(box, (0.7, 0.35, 11.9, 0.9))
        self._say(box.text_frame, [title], size=26)
        return slide

    def _box(self, slide: Any, place: tuple[float, ...], lines: Sequence[str], *, size: int) -> None:
        from pptx.util import Inches

        box = slide.shapes.add_textbox(*(Inches(one) for one in place))
        box.text_frame.word_wrap = True
        self._say(box.text_frame, lines, size=size)

    def _place(self, shape: Any, place: tuple[float, ...]) -> None:
        from pptx.util import Inches

        shape.left, shape.top, shape.width, shape.height = (Inches(one) for one in place)

    def _say(self, frame: Any, lines: Sequence[str], *, size: int) -> None:
        """Write lines as plain runs: nothing of a name can be a link or a field."""
        from pptx.enum.text import PP_ALIGN
        from pptx.util import Pt

        for number, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment, paragraph.space_after = PP_ALIGN.LEFT, Pt(8 if size > 13 else 0)
            run = paragraph.add_run()
            run.text = _plain(line)
            run.font.size, run.font.name = Pt(size), self.font


def _plain(words: str) -> str:
    """Leave out what a slide's file can't hold."""
    return "".join(
        mark
        for mark in words
        if mark >= " " and not "\ud800" <= mark <= "\udfff" and mark not in "\ufffe\uffff"
    )
