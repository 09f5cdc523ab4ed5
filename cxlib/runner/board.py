"""`summary.html`: the one page of a run for who decides, laid out from the records of its scorecard.

Nothing is computed here: every number and sentence stands in the scorecard's record, in every language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cxlib.data.rules.decisions import Decision, read_decisions
from cxlib.language import LANGUAGES, format_date, format_value, text
from cxlib.report.badges import SHAPES, tone_of
from cxlib.report.prose import told_value
from cxlib.runner.board_pictures import Picture, bars, curve, intervals
from cxlib.runner.inert import POLICY
from cxlib.runner.plan import Plan
from cxlib.runner.sections import anchor
from cxlib.runner.words import say

#: The six sentences, in the order of the chain, each with the chapter that explains it.
LINKS = {
    "money": "segmentation",
    "valley": "journey",
    "cost": "journey",
    "care": "journey",
    "driver": "nps_drivers",
    "initiative": "initiative_register",
}
#: Links of the chain with the chapter that explains each.
CARDS = {
    "segment": "segmentation",
    "valley": "journey",
    "driver": "nps_drivers",
    "initiative": "initiative_register",
    "roi": "initiative_roi",
}
LIMITS = ("answers", "links", "undecided")

Record = Mapping[str, Any]


class Card(NamedTuple):
    """One link of the chain on the page; a class because tone, words and join belong together."""

    name: str
    tone: str
    words: str
    href: str
    is_joined: bool
    reason: str


class Board:
    """A run's results in one language; a class because every piece needs language, currency and results."""

    def __init__(
        self,
        results: Mapping[str, Record],
        lang: str,
        decisions: Sequence[Decision] = (),
        *,
        is_shared: bool = False,
    ) -> None:
        self.results, self.lang, self.decisions, self.is_shared = results, lang, decisions, is_shared
        self.own = results["scorecard"]
        self.header = self.own["header"]

    def word(self, key: str, **values: object) -> str:
        """Say one of the page's own words."""
        return text(f"board.{key}", self.lang, **values)

    def number(self, value: object, unit: str) -> str:
        """Write a number with its unit."""
        currency = self.header.get("currency")
        return told_value(value, unit, self.lang, currency=currency, worded=False)

    def finding(self, key: str) -> Record | None:
        """Return what the scorecard says under `key`: a finding, or the notice why there is none."""
        notes = (held for name, held in self.own["notices"].items() if _says(name, key))
        return self.own["findings"].get(f"scorecard.{key}") or next(notes, None)

    def sentence(self, record: Record | None) -> str:
        """Return the words of a finding or notice in the page's language."""
        return "" if record is None else str(record.get("texts", {}).get(self.lang, record["text"]))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table of the scorecard that may be shown, codes in words."""
        held = self.own["tables"].get(table)
        if held is None:
            return []
        words, hidden = held.get("words", {}), set(held["suppressed"])

        def worded(row: Record) -> dict[str, Any]:
            said = {name: words.get(name, {}).get(str(code), {}).get(self.lang) for name, code in row.items()}
            return {**row, "words": {name: said[name] or row[name] for name in row}}

        return [worded(row) for place, row in enumerate(held["rows"]) if place not in hidden]

    def href(self, report: str, key: str = "") -> str:
        """Address of a report of the run, or of the scorecard where it was not run."""
        known = report if report in self.results else "scorecard"
        return f"{known}.html" + (f"#{anchor(key)}" if key else "")

    @property
    def sample(self) -> str:
        """Strip over a page of sample data."""
        return f"{say('sample_banner', self.lang)} {say('sample_explained', self.lang)}"

    @property
    def title(self) -> str:
        """Company and period."""
        period = self.sentence(self.own["findings"].get("scorecard.period"))
        return self.word("title", data_set=self.header["data_set"], period=period)

    @property
    def about(self) -> str:
        """Day, day compared with, and whose numbers these are."""
        whom = " · ".join(self.header["asked_texts"][self.lang]) or self.word("everybody")
        return self.word(
            "about", as_of=format_date(self.header["as_of"], self.lang), earlier=self.earlier_day, whom=whom
        )

    @property
    def compared(self) -> Record:
        """Numbers of the comparison: the earlier day, and the months of an initiative."""
        return self.own["findings"]["scorecard.compared"]["values"]

    @property
    def earlier_day(self) -> str:
        """Day compared with."""
        return format_date(self.compared["earlier"], self.lang)

    @property
    def interval_word(self) -> str:
        """Heading of the intervals."""
        return self.word("interval", level=format_value(self.header["conf_level"], "set_share"))

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """The six sentences, each with its address."""
        left_out = self.word("left_out")
        return [(self.sentence(self.finding(link)) or left_out, self.href(of)) for link, of in LINKS.items()]

    @property
    def cards(self) -> list[Card]:
        """The chain: five links, and whether each is joined to the next."""
        joins = {row["from_link"]: row for row in self.rows("joins")}
        found = []
        for link, report in CARDS.items():
            join = joins.get(link, {})
            tone, words = self._card(link)
            reason = join.get("words", {}).get("reason", "")
            shown = words or self.word("card_none")
            name, is_joined = text(f"value.link.{link}", self.lang), bool(join.get("is_joined"))
            found.append(Card(name, tone, shown, self.href(report), is_joined, reason))
        return found

    def _card(self, link: str) -> tuple[str, str]:
        """Tone and words of one link; no words where it is not shown."""
        first = next(iter(self.rows("segments")), None)
        if link == "segment":
            return "info", "" if first is None else self.word("card_segment", **self._told(first, "segments"))
        if link == "roi":
            return self._card_roi()
        record = self.finding(link)
        verdict = None if record is None else record.get("verdict")
        if record is None or "values" not in record:
            return "undecided", ""
        if link == "valley" and verdict in ("valley", "unconfirmed"):
            names = {row["stage"]: row["words"]["stage"] for row in self.rows("curve")}
            stage = names.get(record["values"]["stage"], "")
            below = self.number(record["values"]["estimate"], "score")
            return tone_of(verdict), self.word("card_valley", stage=stage, estimate=below)
        if link == "initiative":
            return tone_of(verdict), str(record["values"].get("initiative", ""))
        named = record["values"].get("drivers")
        of = {row["driver"]: row["words"]["driver"] for row in self.rows("drivers")}
        return "undecided", " · ".join(of.get(one, one) for one in named or [])

    def _card_roi(self) -> tuple[str, str]:
        best = self.finding("initiative")
        name = None if best is None else best.get("values", {}).get("initiative")
        row = next((row for row in self.rows("initiatives") if row["initiative"] == name), None)
        if row is None or row["roi"] is None:
            return "undecided", ""
        told = self._told(row, "initiatives") | {"months": self.compared["months"]}
        low = row["roi_conf_low"]
        is_good = isinstance(low, int | float) and low > 0
        return ("good" if is_good else "undecided"), self.word("card_roi", **told)

    def _told(self, row: Record, table: str) -> dict[str, str]:
        units = self.own["tables"][table]["units"]
        return {
            name: str(row["words"][name])
            if isinstance(value, str)
            else self.number(value, units.get(name, "number"))
            for name, value in row.items()
            if name != "words" and isinstance(units.get(name, "number"), str)
        }

    @property
    def kpis(self) -> list[dict[str, str]]:
        """Rows of the scorecard as words: figure, now, interval, target, earlier, verdict, change."""
        return [self._kpi(row) for row in self.rows("kpis")]

    def _kpi(self, row: Record) -> dict[str, str]:
        of_table = self.own["tables"]["kpis"]["units"]
        units = {name: _of(unit, row["metric"]) for name, unit in of_table.items()}
        shown = {name: self.number(row[name], units[name]) for name in ("estimate", "target", "before")}
        interval = self._interval(row, units["estimate"])
        verdict, moved = row["verdict"], row["moved"]
        tone = tone_of(verdict)
        return shown | {
            "name": row["words"]["metric"],
            "estimate": interval if row["estimate"] is None and interval else shown["estimate"],
            "interval": interval,
            "tone": tone,
            "verdict": "" if verdict is None else f"{SHAPES[tone]} {row['words']['verdict']}",
            "moved": "" if moved is None else self.word(f"moved.{moved}"),
            "href": self.href("scorecard", "kpis"),
        }

    def _interval(self, row: Record, unit: str) -> str:
        if row["conf_low"] is None or row["conf_high"] is None:
            return ""
        return f"{self.number(row['conf_low'], unit)}–{self.number(row['conf_high'], unit)}"

    @property
    def tally(self) -> str:
        """How many figures met their target, and how many did not."""
        return self.sentence(self.finding("tally"))

    @property
    def acts(self) -> list[dict[str, str]]:
        """What to decide now: proposals of this run, in the team's own words where they were taken up."""
        taken = {one.id: one for one in self.decisions}
        rows = []
        for row in self.rows("decide"):
            own = taken.get(row["id"])
            if own is not None and own.state != "open":
                continue
            key = f"act[id={row['id']}]"
            rows.append(
                {
                    "what": own.what if own and own.what else self.sentence(self.finding(key)),
                    "why": str(row["words"]["reason"]),
                    "who": own.who if own and own.who else str(row["words"]["who"]),
                    "by": format_date(own.by if own and own.by else row["due_on"], self.lang),
                    "href": self.href("scorecard", f"scorecard.{key}"),
                }
            )
        return rows

    @property
    def earlier(self) -> list[tuple[str, str]]:
        """Decisions of the team that no rule asks for any more, or that are done: words and state."""
        proposed = {row["id"] for row in self.rows("decide")}
        held = [one for one in self.decisions if one.state != "open" or one.id not in proposed]
        return [(one.what or one.id, self.state(one)) for one in held]

    def state(self, one: Decision) -> str:
        """Say how a decision stands on the page's day: open, overdue, done, its effect to be judged."""
        day = date.fromisoformat(self.header["as_of"])
        if one.state == "done" and one.judged_from is not None:
            when = "judged_from" if one.judged_from > day else "judged_now"
            judged = self.word(when, day=format_date(one.judged_from, self.lang))
            return f"{self.word('state.done')}, {judged}"
        is_late = one.state == "open" and one.by is not None and one.by < day
        return self.word("state.overdue" if is_late else f"state.{one.state}")

    @property
    def pictures(self) -> list[tuple[str, Picture | None]]:
        """Four small pictures, each with its heading; none to share, as a point can be measured."""
        if self.is_shared:
            return []
        of = {
            "segments": bars(self.rows("segments"), "segment", ("estimate", "customer_share"), self.number),
            "curve": curve(self.rows("curve"), self.number),
            "drivers": bars(self.rows("drivers"), "driver", ("importance",), self.number),
            "initiatives": intervals(self.rows("initiatives"), self.number, without=self.word("no_return")),
        }
        return [(self.word(f"picture_{name}"), drawn) for name, drawn in of.items()]

    @property
    def limits(self) -> list[str]:
        """What the numbers can't say."""
        return [self.word(f"limit_{name}") for name in LIMITS]


def can_have_board(results: Mapping[str, Record]) -> bool:
    """Whether a run's results hold what the page is made of."""
    return "scorecard.headline" in results.get("scorecard", {}).get("findings", {})


def board_files(results: Mapping[str, Record], plan: Plan, *, is_shared: bool = False) -> dict[str, bytes]:
    """Files of the page in the run's language and beside it in the others; none without a scorecard.

    Parameters
    ----------
    results
        The run's results, by report.
    plan
        Any of the run's plans: its language, and where its data lie, and with them the team's decisions.
    is_shared
        Whether the page may leave the company.
    """
    if not can_have_board(results):
        return {}
    decisions, files = read_decisions(plan.data), {}
    for lang in LANGUAGES:
        stem = "summary" if lang == plan.lang else f"summary_{lang}"
        page = board_html(results, lang, decisions=decisions, is_shared=is_shared)
        files[f"{stem}.html"] = page.encode()
        files[f"{stem}.txt"] = board_text(results, lang, decisions=decisions).encode()
    return files


def board_html(
    results: Mapping[str, Record], lang: str, *, decisions: Sequence[Decision] = (), is_shared: bool = False
) -> str:
    """Return the page of a run whose reports include the scorecard.

    Parameters
    ----------
    results
        The run's results, by report (`results.json`).
    lang
        Language of the page; any, whatever the run's was.
    decisions
        What the team has decided before, from `decisions.yml`.
    is_shared
        Whether the page may leave the company: then without pictures.
    """
    board = Board(results, lang, decisions, is_shared=is_shared)
    return str(_template().render(board=board, lang=lang, policy=POLICY))


def board_text(results: Mapping[str, Record], lang: str, *, decisions: Sequence[Decision] = ()) -> str:
    """Return the page as plain text, for mail and chat."""
    board = Board(results, lang, decisions)
    kpis = [board.word("line_kpi", **row).rstrip() for row in board.kpis]
    acts = [board.word("line_act", **row) for row in board.acts] or [board.word("nothing")]
    parts = [
        [board.title, board.about, "", board.sentence(board.finding("headline"))],
        [f"{place}. {said}" for place, (said, _) in enumerate(board.sentences, start=1)],
        [board.tally, *kpis],
        [board.word("decide"), *acts],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _of(unit: object, metric: str) -> str:
    return str(unit.get(metric, "number")) if isinstance(unit, Mapping) else str(unit)


def _says(name: str, key: str) -> bool:
    """Whether a notice tells why there is no finding of that name."""
    return name in (f"scorecard.{key}_unknown",) or name.startswith(f"scorecard.{key}.")


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    folder = Path(__file__).parent / "template"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True).get_template(
        "board.html.j2"
    )
