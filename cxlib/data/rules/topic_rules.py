"""The codebook of comments: topics and their patterns, checked on the engine that runs them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator, model_validator

from cxlib.data.rules.settings import Code
from cxlib.data.rules.strict_models import Closed, fault


class Named(Closed):
    """One name in both languages."""

    en: str
    ja: str


class Wordings(Closed):
    """How a topic is spoken of in one language.

    `patterns` are regular expressions of RE2 (linear time: no look-around, no back-reference), `variants`
    usual slips and spellings. What fits `except` is taken out of a comment before the topic looks at it.
    `faint` ones count only in a comment that no topic found by its patterns: "shampoo" is said of parcels and
    prices, too, and by itself speaks of the product.
    """

    patterns: list[str] = Field(default_factory=list)
    variants: list[str] = Field(default_factory=list)
    but_not: list[str] = Field(default_factory=list, alias="except")
    faint: list[str] = Field(default_factory=list)

    @field_validator("patterns", "variants", "but_not", "faint")
    @classmethod
    def _linear(cls, patterns: list[str]) -> list[str]:
        return checked(patterns)


class Topic(Closed):
    """What a comment can be about, who looks after it, and its words in both languages."""

    id: Code
    label: Named
    definition: Named
    owner: Named
    en: Wordings = Wordings()
    ja: Wordings = Wordings()


class ToneWords(Closed):
    """Words of praise, of complaint, and those that turn one into the other, in one language."""

    praise: list[str] = Field(min_length=1)
    complaint: list[str] = Field(min_length=1)
    negation: list[str] = Field(min_length=1)

    @field_validator("praise", "complaint", "negation")
    @classmethod
    def _linear(cls, patterns: list[str]) -> list[str]:
        return checked(patterns)


class Tone(Closed):
    """The words of tone in both languages."""

    en: ToneWords
    ja: ToneWords


class Topics(Closed):
    """Topics of comments, in the order shown, and the words that hint at praise or complaint."""

    topics: list[Topic] = Field(min_length=1)
    tone: Tone

    @model_validator(mode="after")
    def _once(self) -> Topics:
        ids = [topic.id for topic in self.topics]
        if repeated := sorted({one for one in ids if ids.count(one) > 1}):
            raise fault("named_twice", what="topics", names=", ".join(repeated))
        if empty := [topic.id for topic in self.topics if not (topic.en.patterns or topic.ja.patterns)]:
            raise fault("no_pattern", names=", ".join(empty))
        return self


def checked(patterns: Sequence[str]) -> list[str]:
    """Return patterns that the engine can run and that say something; raise for others, naming the first."""
    for place, pattern in enumerate(patterns, 1):
        try:
            fits_nothing = pc.match_substring_regex(pa.array([""]), pattern)[0].as_py()
        except pa.ArrowInvalid as error:
            raise fault("no_linear_pattern", place=place, pattern=pattern[:60]) from error
        if fits_nothing:
            raise fault("pattern_fits_all", place=place, pattern=pattern[:60])
    return list(patterns)
