"""Order lines merged where they lie: as few rows as purchases, dates and money need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from cxlib.checks import InputError, check_columns
from cxlib.checks.own_frames import arrow_rows
from cxlib.data.engine.adjacent_lines import COARSE, LARGEST_TOTAL, MONEY_UNIT
from cxlib.data.engine.lazy_lines import as_lazy, millionths
from cxlib.data.engine.lend_to_arrow import take_back
from cxlib.data.unreadable_files import in_words

NEEDED = ("customer_id", "order_id", "ordered_at", "amount")
BACK, SOLD, UNKNOWN = -1, 1, 0


def merged_lines(orders: Any, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Merge the lines of one order, of one moment and direction: a frame of order lines with fewer rows.

    Whatever is told from customers, purchases, days, amounts and margins comes out as from the lines.

    Parameters
    ----------
    orders : frame of any engine narwhals knows
        Order lines with the contract's names of columns. Lines of guests are left out.
    by : sequence of str
        Further columns to keep: lines that differ in one are not merged.

    Returns
    -------
    pandas.DataFrame
        `customer_id, order_id, line` (1, 2, … within the order)`, ordered_at, amount, margin` (missing where
        the lines have none) and the `by` columns, sorted. Sales, refunds and lines without an amount stay
        apart, as do those with and without a margin. Money is exact to a millionth.

    Raises
    ------
    ParameterError
        If a column is missing, or more than `cxlib.checks.own_frames.MOST_ROWS` rows are left.
    InputError
        If an amount is infinite or beyond ±10¹².

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": "a", "order_id": ["1", "1", "1", "2"],
    ...     "amount": [5.0, 3.0, -5.0, 9.0], "ordered_at": pd.Timestamp("2026-01-01")})
    >>> merged_lines(lines)[["order_id", "line", "amount"]].to_numpy().tolist()
    [['1', 1, -5.0], ['1', 2, 8.0], ['2', 1, 9.0]]
    """
    frame = as_lazy(orders, *NEEDED[:3], "margin", *by, "amount")
    check_columns(frame, **{f"{name}_col": name for name in NEEDED}, **{f"by_{name}": name for name in by})
    amount, margin = (_number(frame, name) for name in ("amount", "margin"))
    kind = nw.when(amount < 0).then(BACK).otherwise(nw.when(amount >= 0).then(SOLD).otherwise(UNKNOWN))
    parts = dict(zip(("coarse", "fine"), millionths(_known(amount)), strict=True))
    parts |= dict(zip(("margin_coarse", "margin_fine"), millionths(_known(margin)), strict=True))
    has_margin = nw.when(~margin.is_null()).then(1).otherwise(0)
    named = frame.filter(~nw.col("customer_id").is_null()).select(
        nw.col("customer_id").cast(nw.String), nw.col("order_id").cast(nw.String), "ordered_at", *by,
        kind=kind, has_margin=has_margin, **parts,
    )  # fmt: skip
    keys = ["customer_id", "order_id", "ordered_at", "kind", "has_margin", *by]
    merged = named.group_by(*keys).agg(nw.col(name).sum() for name in parts)
    with in_words():
        rows = take_back(arrow_rows(merged.to_native(), argument="orders"))
    return _worded(rows.sort_values(keys, ignore_index=True), list(by))


def _number(frame: nw.LazyFrame[Any], name: str) -> nw.Expr:
    """Express a column of numbers in which what is unknown is null, on every engine."""
    if name not in frame.collect_schema():
        return nw.lit(None, nw.Float64)
    value = nw.col(name).cast(nw.Float64)
    return nw.when(~value.is_nan()).then(value)


def _known(value: nw.Expr) -> nw.Expr:
    return nw.when(~value.is_null()).then(value).otherwise(0.0)


def _worded(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    impossible = rows["coarse"].abs() * COARSE > LARGEST_TOTAL * MONEY_UNIT
    if impossible.any():
        raise InputError("segmentation.impossible_amount", n=int(impossible.sum()))
    money = {
        name: (rows[f"{part}coarse"] * COARSE + rows[f"{part}fine"]) / MONEY_UNIT
        for name, part in (("amount", ""), ("margin", "margin_"))
    }
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "order_id": rows["order_id"],
            "line": rows.groupby(["customer_id", "order_id"], dropna=False).cumcount() + 1,
            "ordered_at": rows["ordered_at"],
            "amount": money["amount"].where(rows["kind"] != UNKNOWN),
            "margin": money["margin"].where(rows["has_margin"] == 1),
            **{name: rows[name] for name in by},
        }
    )
