"""Rules and settings of an organisation, kept as data: the models they must fit, and where they lie."""

from __future__ import annotations

import codecs
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from cxlib.checks import fail_option, nearest
from cxlib.data.places import HANDBOOK
from cxlib.data.rules.strict_models import Closed, fault, read_model


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise fault("unknown_zone") from error
    return name


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


def _known_currency(code: str) -> str:
    from babel.numbers import is_currency

    if not is_currency(code) or code in ("XXX", "XTS"):
        raise fault("unknown_currency")
    return code


def _ordered(scale: tuple[float, float]) -> tuple[float, float]:
    if not scale[0] < scale[1]:
        raise fault("wrong_order")
    return scale


Zone = Annotated[str, AfterValidator(_known_zone)]
Encoding = Annotated[str, AfterValidator(_known_encoding)]
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


class Label(Closed):
    """One name in both languages."""

    en: str
    ja: str


class Settings(Closed):
    """What dataset.yml says about a data set."""

    name: str
    currency: Annotated[str, AfterValidator(_known_currency)]
    timezone: Zone
    extracted_at: datetime
    fiscal_year_start: int = Field(default=1, ge=1, le=12)
    csat_scale: Scale = (1, 5)
    ces_scale: Scale = (1, 7)
    ces_direction: Literal["ease", "effort"] = "ease"
    valence_scale: Scale = (-2, 2)
    expectation_scale: Scale = (1, 5)
    is_sample: bool = False
    encoding: Encoding = "utf-8"

    @model_validator(mode="before")
    @classmethod
    def _end_of_a_bare_day(cls, values: Any) -> Any:
        """Take `extracted_at: 2026-10-01` as the end of that day, so that the day is not the future.

        A bare number such as 20261001 is no time: it would be read as seconds since 1970.
        """
        found = values.get("extracted_at") if isinstance(values, dict) else None
        if type(found) is date:
            found = found.isoformat()
        if isinstance(found, int | float) or (isinstance(found, str) and _BARE_NUMBER.fullmatch(found)):
            raise fault("no_day")
        if isinstance(found, str) and len(found.strip()) == 10:
            try:
                day = date.fromisoformat(found.strip())
            except ValueError as error:
                raise fault("no_day") from error
            return {**values, "extracted_at": datetime.combine(day, time.max)}
        return values

    @field_validator("extracted_at")
    @classmethod
    def _a_time_of_data(cls, found: datetime) -> datetime:
        if not YEARS[0] <= found.year <= YEARS[1]:
            raise fault("no_day")
        return found

    @property
    def extracted(self) -> datetime:
        """`extracted_at` in the data set's timezone; a time without offset is local time."""
        zone = ZoneInfo(self.timezone)
        found = self.extracted_at
        return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)


class Stage(Closed):
    """One stage of the journey."""

    id: Code
    label: Label


#: What a touchpoint may claim besides a better feeling at a stage of the journey.
CLAIMS = ("conviction", "warmth")


class Touchpoint(Closed):
    """One point of contact: its stage, channel, owner, who gets in touch, its role and claim.

    `initiated_by` tells care (the brand gets in touch) from a customer's own visit. `claim` is what its role
    is judged by: "conviction", "warmth", or a stage at which customers should feel better; none is not
    judged.
    """

    id: Code
    stage: Code
    channel: Code
    owner: str
    initiated_by: Literal["brand", "customer"]
    claim: Code | None = None
    role: Label
    label: Label


class Journey(Closed):
    """Stages in order, and the touchpoints in them."""

    stages: list[Stage] = Field(min_length=2)
    touchpoints: list[Touchpoint]

    @model_validator(mode="after")
    def _known_stages(self) -> Journey:
        known = [stage.id for stage in self.stages]
        _unique("stages", known)
        _unique("touchpoints", [touchpoint.id for touchpoint in self.touchpoints])
        for touchpoint in self.touchpoints:
            if touchpoint.stage not in known:
                raise fault(
                    "unknown_stage", touchpoint=touchpoint.id, nearest=nearest(touchpoint.stage, known)
                )
            if touchpoint.claim is not None and touchpoint.claim not in (*CLAIMS, *known):
                options = nearest(touchpoint.claim, [*CLAIMS, *known])
                raise fault("unknown_claim", touchpoint=touchpoint.id, nearest=options)
        return self


Span = Annotated[tuple[int, int], Field(description="lowest and highest score, both included")]


class RfmSegment(Closed):
    """One named range of R, F and M scores."""

    name: Code
    label: Label
    r: Span = (1, 5)
    f: Span = (1, 5)
    m: Span = (1, 5)

    @model_validator(mode="after")
    def _ordered_spans(self) -> RfmSegment:
        for low, high in (self.r, self.f, self.m):
            if not 1 <= low <= high:
                raise fault("wrong_order")
        return self


class RfmSegments(Closed):
    """Named ranges in order; the first that matches wins, the rest are "Others"."""

    segments: list[RfmSegment] = Field(min_length=1)
    others: Label

    @model_validator(mode="after")
    def _once(self) -> RfmSegments:
        _unique("segments", [segment.name for segment in self.segments])
        return self


class Condition(Closed):
    """What a measure of a customer must be: every limit given holds; a missing value never matches."""

    measure: Code
    at_least: Finite | None = None
    at_most: Finite | None = None
    is_in: list[str] | None = None
    is_missing: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self.at_least is None and self.at_most is None and not self.is_in and self.is_missing is None:
            raise fault("empty_condition")
        return self


class State(Closed):
    """One state; a customer is in it when all of its conditions hold, and always when it has none."""

    id: Code
    label: Label
    when: list[Condition] = Field(default_factory=list)


class States(Closed):
    """States in order; the first that matches wins, and the last takes everyone else."""

    states: list[State] = Field(min_length=1)

    @model_validator(mode="after")
    def _for_everyone(self) -> States:
        _unique("states", [state.id for state in self.states])
        if self.states[-1].when or not all(state.when for state in self.states[:-1]):
            raise fault("last_takes_all")
        return self


class Target(Closed):
    """The value a measure should reach, and from where on it is alarming; scores are of one survey."""

    metric: Code
    survey: Literal["relationship", "transaction"] | None = None
    unit: Literal["share", "points", "score", "currency", "count", "days", "months", "ratio", "valence"]
    better: Literal["higher", "lower"]
    target: Finite
    alarm: Finite
    label: Label


class Targets(Closed):
    """Targets of the company."""

    targets: list[Target]

    @model_validator(mode="after")
    def _once(self) -> Targets:
        _unique("targets", [f"{one.metric} {one.survey or ''}".strip() for one in self.targets])
        return self


class Action(Closed):
    """Customers that satisfy all conditions, and what to do for them."""

    id: Code
    label: Label
    action: Label
    when: list[Condition] = Field(min_length=1)


class Actions(Closed):
    """Rules that turn measures of customers into lists for action."""

    actions: list[Action]

    @model_validator(mode="after")
    def _once(self) -> Actions:
        _unique("actions", [action.id for action in self.actions])
        return self


class DriverGroup(Closed):
    """Driver items that belong together, for example the rational or the emotional ones."""

    id: Code
    label: Label
    drivers: list[Code] = Field(min_length=1)


class DriverGroups(Closed):
    """Groups of driver items; a driver is in one group at most."""

    groups: list[DriverGroup]

    @model_validator(mode="after")
    def _once(self) -> DriverGroups:
        _unique("groups", [group.id for group in self.groups])
        _unique("drivers", [driver for group in self.groups for driver in group.drivers])
        return self


def _unique(what: str, ids: list[str]) -> None:
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise fault("named_twice", what=what, names=", ".join(repeated))


RULES: dict[str, type[Closed]] = {
    "journey": Journey,
    "states": States,
    "lifecycle": States,
    "rfm_segments": RfmSegments,
    "targets": Targets,
    "actions": Actions,
    "drivers": DriverGroups,
}


def load_rules(name: str, path: str | Path | None = None) -> Any:
    """Rules of one kind as a checked model.

    Parameters
    ----------
    name : str
        `journey`, `states`, `lifecycle`, `rfm_segments`, `targets`, `actions` or `drivers`.
    path : str or Path, optional
        File of an organisation's own rules; by default `data/rules/<name>.yml` of the handbook.

    Returns
    -------
    Journey, States, RfmSegments, Targets, Actions or DriverGroups
        A frozen pydantic model.

    Raises
    ------
    ParameterError
        For an unknown kind of rules.
    InputError
        For a file that is missing, is no YAML or does not fit; names the entry and the nearest key.

    Examples
    --------
    >>> [stage.id for stage in load_rules("journey").stages][:3]
    ['discover', 'consider', 'buy']
    """
    if name not in RULES:
        fail_option("name", name, RULES)
    default = HANDBOOK / "data" / "rules" / f"{name}.yml"
    return read_model(RULES[name], default if path is None else Path(path))
