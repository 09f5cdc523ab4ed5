"""Rules of an organisation, kept as data: the models they must fit, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cxlib.checks import fail_option, nearest
from cxlib.data.rules.settings import RULES_FOLDER, Code, Finite
from cxlib.data.rules.strict_models import Closed, fault, read_model
from cxlib.data.rules.topic_rules import Topics


class Label(Closed):
    """One name in both languages."""

    en: str
    ja: str


class Stage(Closed):
    """One stage of the journey, and the attitude state (`states.yml`) of customers there, if there is one."""

    id: Code
    label: Label
    state: Code | None = None


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
    """One state; a customer is in it when all of its conditions hold, and always when it has none.

    `owner` looks after those in it.
    """

    id: Code
    label: Label
    owner: str | None = None
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
    """Groups of driver items, a driver in one at most, and the touchpoints at which a driver is felt."""

    groups: list[DriverGroup]
    touchpoints: dict[Code, list[Code]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _once(self) -> DriverGroups:
        _unique("groups", [group.id for group in self.groups])
        _unique("drivers", [driver for group in self.groups for driver in group.drivers])
        return self


Flag = Annotated[bool, Field(strict=True)]
Option = Annotated[Flag | int | Finite | str, Field(union_mode="left_to_right")]


class Figure(Closed):
    """How a figure is computed: a public function of cxlib, and the table whose rows it takes.

    `with_history` gives it the rows from the first day of the data on, `keep_unknown` also those of unknown
    customers, `of_all` none in a report of some customers only (leads that became no deal are no customer's);
    `metric` chooses a row of the result, else it is the first. `is_cohort`: month by month, the
    customers who began in it. `options` are the function's own. `beside` names further tables, which the
    function gets whole by their names, and as None where there is none or the report is of some customers
    only; `rules` names kinds of rules it gets likewise, as they are for the data.
    `reads` is a public function that reads the rows before: it gives each customer's by themselves, under
    their index. `is_compared` false leaves out the change since the earlier day, `is_monthly` false the
    control chart. `of_first`: it rests on who buys for the first time, which data that begin in the middle
    of customers' lives do not tell of everybody.
    """

    function: str = Field(min_length=1)
    table: Code
    reads: str | None = None
    metric: Code | None = None
    with_history: bool = False
    keep_unknown: bool = False
    of_all: bool = False
    is_cohort: bool = False
    is_compared: bool = True
    is_monthly: bool = True
    of_first: bool = False
    beside: list[Code] = Field(default_factory=list)
    rules: list[Code] = Field(default_factory=list)
    options: dict[Code, Option | list[Option]] = Field(default_factory=dict)


class Kpi(Closed):
    """One figure of the scorecard: what it is, where it comes from, and who answers for it.

    `report` is the chapter that explains it. `viewpoint` is whose success it measures, `kind` whether people
    were asked (qualitative) or counted. `purpose` says for which aims it stands on the page of who decides;
    with none it stands in the full report only. `figure` says how it is computed, where the chapter does not.
    """

    id: Code
    label: Label
    definition: Label
    unit: Literal["share", "points", "score", "currency", "count", "days", "months", "ratio", "valence"]
    system: Literal["survey", "crm", "shop", "ma", "sfa", "erp"]
    viewpoint: Literal["company", "customer"]
    kind: Literal["qualitative", "quantitative"]
    owner: Label | None = None
    report: Code
    purpose: list[Literal["grow", "keep"]] = Field(default_factory=list)
    figure: Figure | None = None


class Kpis(Closed):
    """Figures of the scorecard, in the order shown."""

    kpis: list[Kpi] = Field(min_length=1)

    @model_validator(mode="after")
    def _once(self) -> Kpis:
        _unique("kpis", [kpi.id for kpi in self.kpis])
        return self


class DealStage(Closed):
    """One stage of a deal, and the probability of winning that sales states for it, if there is one."""

    id: Code
    label: Label
    chance: Annotated[float, Field(ge=0, le=1)] | None = None


class Sales(Closed):
    """Stages of deals in order, without those that end one."""

    stages: list[DealStage] = Field(min_length=1)

    @model_validator(mode="after")
    def _once(self) -> Sales:
        _unique("stages", [stage.id for stage in self.stages])
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
    "kpis": Kpis,
    "sales": Sales,
    "topics": Topics,
}


def load_rules(name: str, path: str | Path | object | None = None) -> Any:
    """Rules of one kind as a checked model.

    Parameters
    ----------
    name : str
        `journey`, `states`, `lifecycle`, `rfm_segments`, `targets`, `actions`, `drivers`, `kpis`,
        `sales` or `topics`.
    path : str, Path or DataSet, optional
        File of an organisation's own rules; or a data set, whose rules are those in `rules/` beside its
        tables, then those of the set that its dataset.yml names, then the handbook's `data/rules/<name>.yml`,
        which are also the default.

    Returns
    -------
    Journey, States, RfmSegments, Targets, Actions, DriverGroups, Kpis, Sales or Topics
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
    if isinstance(path, str | Path):
        return read_model(RULES[name], Path(path))
    folders = [*getattr(path, "rule_folders", ()), RULES_FOLDER]
    return read_model(RULES[name], next(file for each in folders if (file := each / f"{name}.yml").is_file()))
