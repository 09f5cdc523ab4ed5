"""What `dataset.yml` says of a data set, checked: names of currencies, time zones and encodings included."""

from __future__ import annotations

import codecs
import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from cxlib.checks import ParameterError, nearest
from cxlib.data.days import zone_named
from cxlib.data.places import HANDBOOK
from cxlib.data.rules.strict_models import Closed, fault

#: The handbook's own rules, and folders of sets for other trades.
RULES_FOLDER = HANDBOOK / "data" / "rules"


def _known_zone(name: str) -> str:
    try:
        zone = zone_named(name)
    except ParameterError as error:
        raise fault("unknown_zone") from error
    return name if isinstance(zone, ZoneInfo) else str(zone)


def _known_encoding(name: str) -> str:
    """Refuse codecs that turn text into something else, or bytes into anything but text."""
    try:
        found = codecs.lookup(name)
        if not found._is_text_encoding or found.name.replace("-", "_") in _NO_ENCODINGS:
            raise LookupError(name)
        found.decode("a,1\n".encode(name))
    except (LookupError, ValueError, UnicodeError) as error:
        raise fault("unknown_encoding") from error
    return name


_NO_ENCODINGS = ("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")


def rule_sets() -> list[str]:
    """Names of the sets of rules that come with the handbook, such as `b2b`."""
    return sorted(folder.name for folder in RULES_FOLDER.iterdir() if folder.is_dir())


def _shipped_set(name: str) -> str:
    if name not in rule_sets():
        raise fault("unknown_rule_set", nearest=nearest(name, rule_sets()))
    return name


def is_money(code: str) -> bool:
    """Whether three capital letters name a currency in which amounts can be."""
    from babel.numbers import is_currency

    return is_currency(code) and code not in ("XXX", "XTS")


def _known_currency(code: str) -> str:
    if not is_money(code):
        raise fault("unknown_currency")
    return code


def _ordered(scale: tuple[float, float]) -> tuple[float, float]:
    if not scale[0] < scale[1]:
        raise fault("wrong_order")
    return scale


Zone = Annotated[str, AfterValidator(_known_zone)]
Encoding = Annotated[str, AfterValidator(_known_encoding)]
Currency = Annotated[str, AfterValidator(_known_currency)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Scale = Annotated[tuple[Finite, Finite], AfterValidator(_ordered)]


def as_text(value: Any) -> Any:
    """Take the plain values YAML gives as the text that was written."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Code = Annotated[str, BeforeValidator(as_text), Field(min_length=1)]
#: Years in which data can have been taken out; beyond, a number was taken for a time.
YEARS = (1970, 2200)


_BARE_NUMBER = re.compile(r"\s*[-+]?[\d_]*\.?\d+(?:[eE][-+]?\d+)?\s*")


class Settings(Closed):
    """What dataset.yml says about a data set."""

    name: str
    currency: Currency
    timezone: Zone
    extracted_at: datetime
    fiscal_year_start: int = Field(default=1, ge=1, le=12)
    csat_scale: Scale = (1, 5)
    ces_scale: Scale = (1, 7)
    ces_direction: Literal["ease", "effort"] = "ease"
    valence_scale: Scale = (-2, 2)
    expectation_scale: Scale = (1, 5)
    one_order_per_customer: bool = False
    rules: Annotated[str, AfterValidator(_shipped_set)] | None = None
    is_sample: bool = False
    encoding: Encoding = "utf-8"

    @field_validator("extracted_at", mode="before")
    @classmethod
    def _end_of_a_bare_day(cls, found: Any) -> Any:
        """Take `extracted_at: 2026-10-01` as the end of that day, so that the day is not the future.

        A bare number such as 20261001 is no time: it would be read as seconds since 1970.
        """
        if type(found) is date:
            found = found.isoformat()
        if isinstance(found, int | float) or (isinstance(found, str) and _BARE_NUMBER.fullmatch(found)):
            raise fault("no_day")
        if not isinstance(found, str) or len(found.strip()) != 10:
            return found
        try:
            return datetime.combine(date.fromisoformat(found.strip()), time.max)
        except ValueError as error:
            raise fault("no_day") from error

    @field_validator("extracted_at")
    @classmethod
    def _a_time_of_data(cls, found: datetime) -> datetime:
        if not YEARS[0] <= found.year <= YEARS[1]:
            raise fault("no_day")
        return found

    @property
    def extracted(self) -> datetime:
        """`extracted_at` in the data set's timezone; a time without offset is local time."""
        zone = zone_named(self.timezone)
        found = self.extracted_at
        return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)
