"""The first use of a term of the glossary in a page leads to its entry at the page's end.

Terms are looked for in what the handbook itself says: prose, findings and notices, there outside quotation
marks, which hold words of the data. Tables, code, headings, figures, badges and links stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import NamedTuple

from cxlib.language import glossary
from cxlib.runner.sections import Arranged, Block

#: Elements whose text is never linked; a badge is another.
_KEPT = {"a", "code", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6", "figure"}
_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"</?([a-z0-9]+)")
_QUOTED = re.compile(r"(“[^”]*”|「[^」]*」)")
_LETTER = r"[A-Za-z0-9_&;#-]"  # an entity such as &lt; is no word either


class Entry(NamedTuple):
    """One term that a page uses: address within the page, word and meaning, both escaped."""

    anchor: str
    word: str
    meaning: str


class Linker:
    """Links a page's first use of each term; a class because it remembers which it has met.

    Examples
    --------
    >>> linker = Linker("en")
    >>> linker.html("<p>The NPS rose. An NPS is a balance.</p>")[:59]
    '<p>The <a class="term" href="#term-nps" title="share of pro'
    >>> [entry.word for entry in linker.entries()]
    ['NPS']
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._met: dict[str, None] = {}

    def html(self, html: str, *, has_data: bool = False) -> str:
        """Link within safe HTML; `has_data` leaves out what stands between quotation marks."""
        inside: list[str] = []
        return "".join(self._piece(piece, inside, has_data=has_data) for piece in _TAG.split(html))

    def entries(self) -> list[Entry]:
        """Return what was met, in the order of the glossary."""
        return [
            Entry(f"term-{term}", escape(words[self.lang]), escape(words["meaning"][self.lang]))
            for term, words in glossary().items()
            if term in self._met
        ]

    def _piece(self, piece: str, inside: list[str], *, has_data: bool) -> str:
        if piece.startswith("<"):
            _follow(piece, inside)
            return piece
        if inside or not piece.strip():
            return piece
        parts = _QUOTED.split(piece) if has_data else [piece]
        return "".join(part if odd % 2 else self._linked(part) for odd, part in enumerate(parts))

    def _linked(self, words: str) -> str:
        return _pattern(self.lang).sub(self._link, words)

    def _link(self, match: re.Match[str]) -> str:
        term = _term_of(self.lang)[_plain(match["word"])]
        if term in self._met:
            return match[0]
        self._met[term] = None
        meaning = escape(glossary()[term]["meaning"][self.lang], quote=True)
        return f'<a class="term" href="#term-{term}" title="{meaning}">{match[0]}</a>'


def with_terms(arranged: Arranged, lang: str) -> tuple[Arranged, list[Entry]]:
    """Link the first use of each term, in the order in which the page is read.

    Returns
    -------
    tuple
        The page, and an entry for each term that it uses.
    """
    linker = Linker(lang)
    in_short, lead = ([*_blocks(blocks, linker)] for blocks in (arranged.in_short, arranged.lead))
    body, about_data = (
        [section._replace(blocks=[*_blocks(section.blocks, linker)]) for section in sections]
        for sections in (arranged.body, arranged.about_data)
    )
    linked = arranged._replace(in_short=in_short, lead=lead, body=body, about_data=about_data)
    return linked, linker.entries()


def _blocks(blocks: Iterable[Block], linker: Linker) -> Iterator[Block]:
    for block in blocks:
        is_prose = block.kind.startswith("prose")
        if is_prose or block.record.get("kind") in ("finding", "notice"):
            block = block._replace(html=linker.html(block.html, has_data=not is_prose))
        yield block


def _follow(tag: str, inside: list[str]) -> None:
    """Keep in mind which of the elements that stay as they are is open."""
    name = _NAME.match(tag)
    if name is None:
        return
    if not tag.startswith("</"):
        if name[1] in _KEPT or "cx-badge" in tag:
            inside.append(name[1])
    elif name[1] in inside:
        inside.remove(name[1])


def _words(term: str, lang: str) -> list[str]:
    """Words by which a text speaks of a term."""
    words = glossary()[term]
    found: list[str] = words["found"][lang] if "found" in words else [words[lang]]
    return found


def _plain(word: str) -> str:
    """Write a word as it is looked up: abbreviations as they are, others without capitals."""
    return word if word.isupper() else word.lower()


@cache
def _term_of(lang: str) -> dict[str, str]:
    return {_plain(word): term for term in glossary() for word in _words(term, lang)}


@cache
def _pattern(lang: str) -> re.Pattern[str]:
    """Any of the words, the longest first; whole words in Latin letters, which may begin a sentence."""
    words = "|".join(_searched(word) for word in sorted(_term_of(lang), key=len, reverse=True))
    return re.compile(f"(?P<word>{words})s?")


def _searched(word: str) -> str:
    if not word.isascii():
        return re.escape(word)
    first = re.escape(word[0]) if word.isupper() else f"[{word[0].upper()}{word[0].lower()}]"
    return rf"(?<!{_LETTER}){first}{re.escape(word[1:])}(?=s?(?!{_LETTER}|\.\w))"
