"""The tables of the contract as data: which columns, of what kind, in what range, and what each table is for.

`data/README.md` is the same contract in words; a test keeps the two in step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["id", "text", "timestamp", "date", "month", "number", "whole", "flag"]


@dataclass(frozen=True)
class Column:
    """What one column of a table holds; a class so that every check reads the same declaration.

    `scale` names the entry of dataset.yml that holds the range. `after` names the column a time may not
    precede. `known_at` names the time from which the value can be known: earlier it is missing. A `planned`
    day may lie in the future. `found_in` names the table that lists the values.
    """

    kind: Kind
    required: bool = False
    low: float | None = None
    high: float | None = None
    above: float | None = None
    scale: str | None = None
    options: tuple[str, ...] = ()
    after: str | None = None
    known_at: str | None = None
    planned: bool = False
    found_in: str | None = None


@dataclass(frozen=True)
class Table:
    """What one table holds; `time` is the column by which a row comes into being.

    The rows of one value of a key that may be empty, such as a cost line, are told apart by the others alone.
    `pattern` declares columns by the beginning of their name.
    """

    columns: dict[str, Column]
    key: tuple[str, ...]
    time: str | None = None
    in_period: bool = True
    pattern: dict[str, Column] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """Return the declaration of a column, also of those known by their prefix; None for an extra one."""
        if name in self.columns:
            return self.columns[name]
        return next((spec for prefix, spec in self.pattern.items() if name.startswith(prefix)), None)

    def scales(self, settings: Any) -> dict[str, tuple[float, float]]:
        """Give the declared scale of each score of the table."""
        return {name: getattr(settings, rule.scale) for name, rule in self.columns.items() if rule.scale}

    def is_id(self, name: str) -> bool:
        """Whether a column tells rows apart instead of describing them."""
        rule = self.column(name)
        return rule is not None and rule.kind == "id"


_ID = Column("id", required=True)
_MAYBE_ID = Column("id")
_TEXT = Column("text")
_NUMBER = Column("number")
_NAMED = Column("text", required=True)
_AT = Column("timestamp", required=True)
_ON = Column("date", required=True)
_MONEY = Column("number", required=True)
_EXPECTED = Column("number", scale="expectation_scale")
_COST = Column("number", low=0)

TABLES: dict[str, Table] = {
    "customers": Table(
        {
            "customer_id": _ID,
            "first_seen_on": _ON,
            "customer_type": Column("text", required=True, options=("consumer", "business")),
            "acquisition_channel": _TEXT,
            "region": _TEXT,
            "gender": _TEXT,
            "birth_year": Column("whole"),
            "industry": _TEXT,
            "company_size": _TEXT,
            "is_test": Column("flag"),
        },
        key=("customer_id",),
        time="first_seen_on",
        in_period=False,
        pattern={"match_key": _MAYBE_ID},
    ),
    "orders": Table(
        {
            "order_id": _ID,
            "line": Column("whole", required=True),
            "customer_id": _MAYBE_ID,
            "ordered_at": _AT,
            "amount": _MONEY,
            "margin": _NUMBER,
            "quantity": _NUMBER,
            "product": _TEXT,
            "category": _TEXT,
            "taste": _TEXT,
            "brand": _TEXT,
            "channel": _TEXT,
            "promised_on": Column("date", after="ordered_at", planned=True),
            "delivered_on": Column("date", after="ordered_at"),
        },
        key=("order_id", "line"),
        time="ordered_at",
    ),
    "events": Table(
        {
            "event_id": _ID,
            "customer_id": _MAYBE_ID,
            "occurred_at": _AT,
            "stage": _TEXT,
            "touchpoint": _NAMED,
            "channel": _TEXT,
            "valence": Column("number", scale="valence_scale"),
            "expectation": _EXPECTED,
            "experience": _EXPECTED,
            "page": _TEXT,
            "campaign": _TEXT,
            "responded": Column("flag"),
            "opted_out": Column("flag"),
        },
        key=("event_id",),
        time="occurred_at",
    ),
    "responses": Table(
        {
            "response_id": _ID,
            "customer_id": _MAYBE_ID,
            "answered_at": Column("timestamp", required=True, after="invited_at"),
            "survey": Column("text", required=True, options=("relationship", "transaction")),
            "wave": _TEXT,
            "touchpoint": _TEXT,
            "source": Column("text", options=("survey", "review", "social", "ticket")),
            "nps_score": Column("whole", low=0, high=10),
            "csat_score": Column("number", scale="csat_scale"),
            "ces_score": Column("number", scale="ces_scale"),
            "comment": _TEXT,
            "weight": Column("number", above=0),
        },
        key=("response_id",),
        time="answered_at",
        pattern={
            "driver_": _NUMBER,
            "invited_at": Column("timestamp"),
            "replied_at": Column("timestamp", after="answered_at"),
        },
    ),
    "deals": Table(
        {
            "deal_id": _ID,
            "customer_id": _ID,
            "created_on": _ON,
            "quoted_on": Column("date", after="created_on"),
            "followed_up_on": Column("date", after="created_on"),
            "closed_on": Column("date", after="created_on"),
            "expected_close_on": Column("date", planned=True),
            "stage": Column("text", required=True, known_at="closed_on"),
            "is_won": Column("flag", known_at="closed_on"),
            "amount": _NUMBER,
            "source": _TEXT,
            "lost_reason": Column("text", known_at="closed_on"),
            "owner": Column("text", known_at="owner_since"),
            "owner_since": Column("date"),
            "next_step_on": Column("date", planned=True),
            "recorded_at": Column("timestamp"),
        },
        key=("deal_id",),
        time="created_on",
    ),
    "tickets": Table(
        {
            "ticket_id": _ID,
            "customer_id": _MAYBE_ID,
            "opened_at": _AT,
            "first_replied_at": Column("timestamp", after="opened_at"),
            "resolved_at": Column("timestamp", after="opened_at"),
            "channel": _TEXT,
            "reason": _TEXT,
            "handled_by": Column("text", options=("bot", "person")),
            "reopened_count": Column("whole", low=0, known_at="resolved_at"),
            "csat_score": Column("number", scale="csat_scale", known_at="resolved_at"),
        },
        key=("ticket_id",),
        time="opened_at",
    ),
    "initiatives": Table(
        {
            "initiative_id": _ID,
            "name": _NAMED,
            "started_on": Column("date", required=True, planned=True),
            "touchpoint": _TEXT,
            "target_state": _TEXT,
            "one_time_cost": _COST,
            "monthly_cost": _COST,
            "promised_effect": Column("number"),
            "assignment": Column(
                "text", required=True, options=("randomised", "staggered", "targeted", "everyone")
            ),
        },
        key=("initiative_id",),
        in_period=False,
    ),
    "enrolments": Table(
        {
            "initiative_id": _ID,
            "customer_id": _ID,
            "enrolled_on": Column("date"),
            "arm": Column("text", options=("treatment", "control")),
        },
        key=("initiative_id", "customer_id"),
        in_period=False,
    ),
    "spend": Table(
        {
            "month": Column("month", required=True),
            "acquisition_channel": _NAMED,
            "cost_line": Column("text", options=("media", "people", "agency")),
            "amount": _MONEY,
        },
        key=("month", "acquisition_channel", "cost_line"),
        time="month",
        in_period=False,
    ),
    "contracts": Table(
        {
            "customer_id": _ID,
            "plan": _NAMED,
            "started_on": _ON,
            "ended_on": Column("date"),
            "monthly_amount": Column("number", required=True, low=0),
        },
        key=("customer_id", "plan", "started_on"),
        time="started_on",
        in_period=False,
    ),
    "leads": Table(
        {
            "lead_id": _ID,
            "customer_id": _MAYBE_ID,
            "created_on": _ON,
            "source": _TEXT,
            "status": Column("text", required=True, known_at="converted_on"),
            "converted_on": Column("date", after="created_on"),
            "deal_id": Column("id", known_at="converted_on", found_in="deals"),
        },
        key=("lead_id",),
        time="created_on",
    ),
    "deal_stages": Table(
        {
            "deal_id": Column("id", required=True, found_in="deals"),
            "stage": _NAMED,
            "entered_at": _AT,
        },
        key=("deal_id", "stage", "entered_at"),
        time="entered_at",
    ),
    "activities": Table(
        {
            "activity_id": _ID,
            "customer_id": _MAYBE_ID,
            "deal_id": Column("id", found_in="deals"),
            "occurred_at": _AT,
            "kind": _NAMED,
            "owner": Column("text", found_in="users"),
            "recorded_at": Column("timestamp"),
        },
        key=("activity_id",),
        time="occurred_at",
    ),
    "codings": Table(
        {
            "response_id": Column("id", required=True, found_in="responses"),
            "coder": _NAMED,
            "topic": _TEXT,
        },
        key=("response_id", "coder", "topic"),
        in_period=False,
    ),
    "products": Table(
        {"product": _NAMED, "category": _TEXT, "unit_cost": _COST, "price": _COST},
        key=("product",),
        in_period=False,
    ),
    "stock": Table(
        {"day": _ON, "product": Column("text", required=True, found_in="products"), "on_hand": _MONEY},
        key=("day", "product"),
        time="day",
    ),
    "users": Table(
        {
            "owner": _ID,
            "team": _TEXT,
            "licensed_on": Column("date"),
            "last_active_on": Column("date", after="licensed_on"),
        },
        key=("owner",),
        in_period=False,
    ),
}

#: Tables whose keys others name; looked up as the file has them: at an earlier day some are yet to come.
LISTS = {"customers"} | {
    rule.found_in for spec in TABLES.values() for rule in spec.columns.values() if rule.found_in
}
