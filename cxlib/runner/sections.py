"""The order in which a report is read: in short, answer, evidence, limits, and the data at the end.

A notebook runs from the data to the decision; its page starts with what was decided. Sections are known by
their headings (`runner.heading_…` of the catalogue), so that a notebook needs no mark of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from cxlib.runner.words import entries, say

#: A table with more rows stands in a fold.
MOST_ROWS = 12
#: How many findings are in short, and how many of them decisions, where a chapter does not choose itself.
FEWEST, MOST, MOST_DECISIONS = 3, 6, 4
_HEADING = re.compile(r"<h([1-4])[^>]*>(.*?)</h\1>", re.DOTALL)
#: Findings that say what to do, wherever they stand: `journey.decision`, `impact.next[reason=…]`.
_DECIDES = re.compile(r"\.(?:decision\b|decision_|headline\b|next(?![\w.]))")
#: Kinds of records that other pages point at.
ANCHORED = ("finding", "table")
_TAG = re.compile(r"<[^>]+>")
_HEAD_CELL = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)


def anchor(key: str) -> str:
    """Return the address of a finding or table within its page.

    Examples
    --------
    >>> anchor("scorecard.act[id=stop Mail]")
    'scorecard.act-id-stop-Mail'
    """
    return re.sub(r"[^\w.]+", "-", key).strip("-")


class Block(NamedTuple):
    """One piece of a page; `record` is what the notebook recorded with it."""

    kind: str
    html: str
    record: Mapping[str, Any] = {}

    @property
    def anchor(self) -> str:
        """Address of a finding or table within its page; empty for anything else."""
        return anchor(str(self.record.get("key", ""))) if self.record.get("kind") in ANCHORED else ""


class Section(NamedTuple):
    """A heading of the second level and what stands under it; the first one of a page has no heading."""

    words: str
    blocks: list[Block]

    def is_called(self, name: str) -> bool:
        """Whether its heading is the one that the catalogue lists under `name`, in any language."""
        return is_called(self.words, name)

    def without(self, is_left_out: Callable[[Block], bool]) -> Section:
        """Leave out blocks."""
        return self._replace(blocks=[block for block in self.blocks if not is_left_out(block)])


def is_called(words: str, name: str) -> bool:
    """Whether a heading is the one that the catalogue lists under `runner.heading_<name>`.

    Examples
    --------
    >>> is_called("要約", "in_short"), is_called("In brief", "in_short")
    (True, False)
    """
    return words in entries()[f"runner.heading_{name}"].values()


class Arranged(NamedTuple):
    """A report in reading order; `told` are the sentences of the notices that stand somewhere in it."""

    title: str
    in_short: list[Block]
    lead: list[Block]
    body: list[Section]
    about_data: list[Section]
    told: set[str]


def arrange(blocks: Iterable[Block], *, is_report: bool = True) -> Arranged:
    """Bring a notebook's blocks into the order of a report; a lesson keeps its own but for what is in short.

    The section *In short* is lifted, or made from the findings. What stands before the answer is about the
    data and goes to the end; its remarks are left to the box on data quality. A notice stands once.
    """
    title, found = _split(blocks)
    own = [section for section in found if section.is_called("in_short")]
    rest = [section for section in found if not section.is_called("in_short")]
    answers = [place for place, section in enumerate(rest) if section.is_called("answer")]
    until = answers[0] if answers and is_report else 1
    early, body = rest[:until], rest[until:]
    in_short = [block for section in own for block in section.blocks]
    if is_report:
        in_short = in_short or _decided(rest) or _lacking(rest)
        early = [section.without(_is_remark) for section in early]
    told: set[str] = set()
    short, *body = _told_once([Section("", in_short), *body], told)
    early = _told_once(early, told)
    return Arranged(title, short.blocks, early[0].blocks, body, early[1:], told)


def _split(blocks: Iterable[Block]) -> tuple[str, list[Section]]:
    """Title (the first heading of level 1, taken out) and sections; prose is parted at its headings."""
    title, sections = "", [Section("", [])]
    for block in blocks:
        for piece in _parted(block):
            level, words, rest = _heading(piece)
            if level == 1 and not title:
                title, piece = words, rest
            elif level in (1, 2):
                sections.append(Section(words, []))
                piece = rest
            if piece.html.strip():
                sections[-1].blocks.append(piece)
    return title, sections


def _parted(block: Block) -> list[Block]:
    if not block.kind.startswith("prose"):
        return [block]
    return [block._replace(html=html) for html in re.split(r"(?=<h[1-4]\b)", block.html) if html.strip()]


def _heading(block: Block) -> tuple[int, str, Block]:
    """Level and words of the heading that a piece of prose begins with, and the rest; level 0 without one."""
    match = _HEADING.match(block.html) if block.kind.startswith("prose") else None
    if match is None:
        return 0, "", block
    return int(match[1]), _TAG.sub("", match[2]).strip(), block._replace(html=block.html[match.end() :])


def _is_remark(block: Block) -> bool:
    """Whether a notice is for the box: neither its own section's nor why a part is missing."""
    record = block.record
    is_grave = record.get("level") == "not_enough_data" or record.get("only_here")
    return record.get("kind") == "notice" and not is_grave


def _told_once(sections: Iterable[Section], told: set[str]) -> list[Section]:
    """Leave out notices whose sentence stood before."""

    def is_repeated(block: Block) -> bool:
        sentence = str(block.record.get("text", ""))
        if block.record.get("kind") != "notice" or sentence in told:
            return block.record.get("kind") == "notice"
        told.add(sentence)
        return False

    return [section.without(is_repeated) for section in sections]


def _decided(sections: Iterable[Section]) -> list[Block]:
    """Choose findings where a chapter does not say itself what it comes to: the decision, then the answer.

    Those with a verdict, at most six of them; where fewer than three have one, others fill up.
    """
    decided, answered = [], []
    for section in sections:
        for block in section.blocks:
            if block.record.get("kind") != "finding":
                continue
            if section.is_called("decision") or _DECIDES.search(str(block.record.get("key"))):
                decided.append(block)
            elif section.is_called("answer"):
                answered.append(block)
    chosen = [block for block in decided if block.record.get("verdict")][:MOST_DECISIONS]
    chosen += [block for block in answered if block.record.get("verdict")][: MOST - len(chosen)]
    others = [block for block in [*answered, *decided] if not block.record.get("verdict")]
    return chosen + others[: max(0, FEWEST - len(chosen))]


def _lacking(sections: Iterable[Section]) -> list[Block]:
    """Notices that say why there is no finding."""
    blocks = [block for section in sections for block in section.blocks]
    return [block for block in blocks if block.record.get("level") == "not_enough_data"][:MOST]


def with_folds(arranged: Arranged, lang: str) -> Arranged:
    """Fold what only some readers need; headings about the data go one level lower, under *Data*."""
    body = [section._replace(blocks=_folded(section, lang)) for section in arranged.body]
    about_data = [
        section._replace(blocks=_lowered(_folded(section, lang))) for section in arranged.about_data
    ]
    return arranged._replace(body=body, about_data=about_data)


def _folded(section: Section, lang: str) -> list[Block]:
    """Fold long tables, and what stands under a heading of the fourth level *For analysts*."""
    found: list[Block] = []
    held: list[Block] | None = None
    heading = section.words
    for block in section.blocks:
        level, words, rest = _heading(block)
        if level:
            held, heading = None, words
        if level == 4 and is_called(words, "analysts"):
            held, block = [], rest
            found.append(block)
        if held is None:
            found.append(_fold_table(block, heading, lang))
        elif block.html.strip():
            held.append(block)
            found[-1] = _fold(say("heading_analysts", lang), held)
    return [block for block in found if block.html.strip()]


def _lowered(blocks: Iterable[Block]) -> list[Block]:
    """Set the headings of prose one level lower."""
    pairs = [(block, block.kind.startswith("prose")) for block in blocks]
    return [
        block._replace(html=re.sub(r"<(/?)h3\b", r"<\1h4", block.html)) if is_prose else block
        for block, is_prose in pairs
    ]


def _fold_table(block: Block, heading: str, lang: str) -> Block:
    n_rows = block.html.count("<tr") - block.html.count("<thead")
    if block.kind != "output" or n_rows <= MOST_ROWS:
        return block
    heads = [_TAG.sub("", head).strip() for head in _HEAD_CELL.findall(block.html.split("</thead>")[0])]
    columns = say("list_join", lang).join(head for head in heads[:3] if head)
    return _fold(say("folded_table", lang, heading=heading, n=n_rows, columns=columns), [block])


def _fold(summary: str, blocks: Iterable[Block]) -> Block:
    inner = "\n".join(f'<div class="{block.kind}">{block.html}</div>' for block in blocks)
    return Block("fold", f"<details><summary>{summary}</summary>\n{inner}\n</details>")
