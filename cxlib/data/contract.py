"""The tables of the contract as data: which columns, of what kind, in what range, and what each table is for.

`data/README.md` is the same contract in words; a test keeps the two in step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["id", "text", "timestamp", "date", "month", "number", "whole", "flag"]


@dataclass(frozen=True)
class Column:
    """What one column of a table holds; a class so that every check reads the same declaration.

    `scale` names the entry of dataset.yml that holds the range. `after` names the column a time may not
    precede. `known_at` names the time from which the value can be known: earlier it is missing. A `planned`
    day may lie in the future.
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


@dataclass(frozen=True)
class Table:
    """What one table holds; `time` is the column by which a row comes into being."""

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


_ID = Column("id", required=True)
_MAYBE_ID = Column("id")
_TEXT = Column("text")
_NUMBER = Column("number")
_NAMED = Column("text", required=True)
_AT = Column("timestamp", required=True)
_ON = Column("date", required=True)
_MONEY = Column("number", required=True)
_EXPECTED = Column("number", scale="expectation_scale")

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
        },
        key=("customer_id",),
        time="first_seen_on",
        in_period=False,
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
            "nps_score": Column("whole", low=0, high=10),
            "csat_score": Column("number", scale="csat_scale"),
            "ces_score": Column("number", scale="ces_scale"),
            "comment": _TEXT,
            "weight": Column("number", above=0),
        },
        key=("response_id",),
        time="answered_at",
        pattern={"driver_": _NUMBER, "invited_at": Column("timestamp")},
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
            "owner": _TEXT,
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
            "one_time_cost": Column("number", low=0),
            "monthly_cost": Column("number", low=0),
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
        {"month": Column("month", required=True), "acquisition_channel": _NAMED, "amount": _MONEY},
        key=("month", "acquisition_channel"),
        time="month",
        in_period=False,
    ),
}
