"""What keeps the contract and is probably wrong all the same: doubts about a table, each with its count.

The contract can't tell a price from an amount, or a number per order from a customer; the rows can.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.data.contract import TABLES
from cxlib.data.convert import among
from cxlib.data.days import local_days
from cxlib.data.findings import Findings
from cxlib.data.ids import NOBODY, folded
from cxlib.data.rules.settings import Settings
from cxlib.data.text_type import TEXT

#: Fewest lines of more than one piece that can show a price in place of an amount.
PRICED_LINES = 5
#: Orders, share of them whose customer never came back, from which on an id is taken for one per order.
ORDERS_ALONE, SHARE_ALONE = 50, 0.99
#: Rows of one id, as share of all and times the next busiest, that no single customer makes.
SHARE_OF_ONE, TIMES_NEXT, ROWS_OF_ALL = 0.05, 10, 50
#: Amount from which on a margin of at most 1 is no money, and share of the margins that are like it.
LEAST_SOLD, SHARE_RATES = 10, 0.9
#: Share of the money without a margin from which on the rest is worth a word.
SHARE_UNKNOWN = 0.01
#: Years that nobody lives; share of one year of birth and times the next most frequent that no crowd has.
OLDEST, SHARE_OF_YEAR, TIMES_NEXT_YEAR = 110, 0.1, 5
#: Orders of several lines, share of them whose lines all cost the same, from which on it is their total; and
#: different such amounts, which a shop of one price does not have.
ORDERS_LINED, SHARE_LINED, AMOUNTS_LINED = 10, 0.95, 5
#: Different values from which on a column is no attribute to break down by.
MOST_VALUES = 1_000
#: Customers from which on an attribute that never varies is worth a word.
ALIKE = 20


def notice_doubts(frame: pd.DataFrame, table: str, settings: Settings, findings: Findings) -> None:
    """Note what is plausible row by row and not as a whole."""
    if table == "orders":
        findings.add("tables.price_for_amount", "notice", "amount", prices_for_amounts(frame))
        findings.add(
            "tables.returned_as_sold", "notice", "quantity", (frame["quantity"] < 0) & (frame["amount"] > 0)
        )
        findings.add("tables.total_on_lines", "notice", "amount", totals_on_lines(frame))
        findings.add("tables.margin_as_rate", "notice", "margin", rates_for_margins(frame))
        findings.add("tables.margin_in_part", "notice", "margin", without_margin(frame))
    if table in ("orders", "responses", "tickets"):
        findings.add("tables.one_for_many", "notice", "customer_id", of_one_for_many(frame["customer_id"]))
    if table == "customers":
        years, last = frame["birth_year"], settings.extracted.year
        limits = {"first": last - OLDEST, "last": last}
        odd = (years < last - OLDEST) | (years > last)
        findings.add("tables.birth_year_odd", "notice", "birth_year", odd.fillna(value=False), **limits)
        findings.add("tables.birth_year_alike", "notice", "birth_year", years_of_a_form(years))
    if table == "customers" and len(frame) >= ALIKE:
        for column in frame.columns.difference(["customer_id", "first_seen_on", "customer_type"]):
            if frame[column].notna().mean() > 0.5 and len(frame[column].dropna().unique()) == 1:
                findings.add("tables.one_value", "notice", str(column))
            elif frame[column].dtype == TEXT:
                findings.add("tables.value_spelling", "notice", str(column), spelled_apart(frame[column]))


def prices_for_amounts(orders: pd.DataFrame) -> np.ndarray:
    """Mask of lines of several pieces that cost what the fewest cost: `amount` holds a price.

    True only where most such lines do, and few cost their multiple.

    Examples
    --------
    >>> lines = pd.DataFrame({"product": "tea", "quantity": [1, *range(2, 8)], "amount": 900.0})
    >>> totals = lines.assign(amount=lines["amount"] * lines["quantity"])
    >>> int(prices_for_amounts(lines).sum()), int(prices_for_amounts(totals).sum())
    (6, 0)
    """
    quantity, amount = (orders[name].to_numpy(dtype=float) for name in ("quantity", "amount"))
    sold = (amount > 0) & (quantity > 0)
    fewest = quantity[sold].min(initial=np.inf)
    several = sold & (quantity > fewest)
    if several.sum() < PRICED_LINES:
        return np.zeros(len(orders), dtype=bool)
    product = pd.factorize(orders["product"])[0]

    def costs(money: np.ndarray) -> np.ndarray:
        """Product and rounded money as one number, of the lines that count."""
        return product * 1e12 + np.round(np.where(sold, money, 0.0), 2)

    known = np.unique(costs(amount)[sold & ~several])
    alike = several & np.isin(costs(amount), known)
    multiple = several & np.isin(costs(amount * fewest / np.where(sold, quantity, 1.0)), known)
    is_price = alike.sum() >= max(PRICED_LINES, 2 * multiple.sum())
    return alike & is_price


def totals_on_lines(orders: pd.DataFrame) -> np.ndarray:
    """Mask of lines that repeat the total of their order: true where all lines of nearly all orders agree.

    Examples
    --------
    >>> lines = pd.DataFrame({"order_id": np.repeat(range(12), 3), "amount": np.repeat(range(100, 112), 3)})
    >>> int(totals_on_lines(lines).sum()), int(totals_on_lines(lines.assign(amount=range(36))).sum())
    (36, 0)
    """
    sold = orders[orders["amount"] > 0]
    of_order = sold["amount"].groupby(sold["order_id"]).agg(["size", "min", "max"])
    of_order = of_order[of_order["size"] > 1]
    alike = of_order[of_order["min"] == of_order["max"]]
    is_total = (
        len(of_order) >= ORDERS_LINED
        and len(alike) >= SHARE_LINED * len(of_order)
        and alike["min"].nunique() >= AMOUNTS_LINED
    )
    if not is_total:
        return np.zeros(len(orders), dtype=bool)
    return (among(orders["order_id"], alike.index.to_series()) & (orders["amount"] > 0)).to_numpy(dtype=bool)


def rates_for_margins(orders: pd.DataFrame) -> np.ndarray:
    """Mask of lines whose margin is a rate: true only where nearly all known margins lie between 0 and 1.

    Examples
    --------
    >>> lines = pd.DataFrame({"amount": [1000.0] * 10, "margin": 0.35})
    >>> int(rates_for_margins(lines).sum()), int(rates_for_margins(lines.assign(margin=350.0)).sum())
    (10, 0)
    """
    amount, margin = (orders[name].to_numpy(dtype=float) for name in ("amount", "margin"))
    sold = (amount >= LEAST_SOLD) & (margin != 0) & np.isfinite(margin)
    rates = sold & (margin > 0) & (margin <= 1)
    return rates & (rates.sum() >= max(PRICED_LINES, SHARE_RATES * sold.sum()))


def without_margin(orders: pd.DataFrame) -> np.ndarray:
    """Mask of lines that cost something and have no margin, where others have one and it is no trifle.

    Examples
    --------
    >>> lines = pd.DataFrame({"amount": [900.0, 900.0, 0.0], "margin": [300.0, np.nan, np.nan]})
    >>> without_margin(lines).tolist(), without_margin(lines.assign(margin=np.nan)).tolist()
    ([False, True, False], [False, False, False])
    """
    amount, margin = (orders[name].to_numpy(dtype=float) for name in ("amount", "margin"))
    lacks = np.isnan(margin) & (amount != 0) & np.isfinite(amount)
    money = np.abs(np.where(np.isfinite(amount), amount, 0.0))
    is_part = not np.isnan(margin).all() and money[lacks].sum() >= SHARE_UNKNOWN * money.sum()
    return lacks & is_part


def years_of_a_form(years: pd.Series) -> np.ndarray:
    """Mask of the one year of birth that far too many share: what a form holds until somebody changes it.

    Examples
    --------
    >>> born = pd.Series([1980] * 40 + [*range(1950, 2000)], dtype="Int64")
    >>> int(years_of_a_form(born).sum()), int(years_of_a_form(born[39:]).sum())
    (41, 0)
    """
    held = years.value_counts()
    if len(held) < 2:
        return np.zeros(len(years), dtype=bool)
    least = max(ALIKE, SHARE_OF_YEAR * held.sum(), TIMES_NEXT_YEAR * held.iloc[1])
    is_of_form = bool(held.iloc[0] >= least)
    return (years == held.index[0]).fillna(value=False).to_numpy(dtype=bool) & is_of_form


def spelled_apart(values: pd.Series) -> np.ndarray:
    """Mask of values that another one equals but for case, width, spaces or invisible signs.

    Examples
    --------
    >>> spelled_apart(pd.Series(["Kanto", "kanto ", "Kansai"], dtype="str")).tolist()
    [True, True, False]
    """
    codes, different = pd.factorize(values)
    words = folded(pa.array(different, pa.string())).to_pandas().str.replace(r"\s+", " ", regex=True)
    again = words.duplicated(keep=False).to_numpy()
    return (codes >= 0) & again[codes] if len(again) <= MOST_VALUES and len(again) else codes < -1


def of_one_for_many(ids: pd.Series) -> np.ndarray:
    """Mask of the rows of an id that has more of them than a customer makes: all guests under one number.

    Examples
    --------
    >>> of_one_for_many(pd.Series(["0"] * 40 + [f"c{n}" for n in range(60)])).sum()
    np.int64(40)
    """
    rows = ids.value_counts()
    if len(rows) < 2 or rows.sum() < ROWS_OF_ALL:
        return np.zeros(len(ids), dtype=bool)
    is_one = rows.iloc[0] >= max(SHARE_OF_ONE * rows.sum(), TIMES_NEXT * rows.iloc[1])
    return (ids == rows.index[0]).fillna(value=False).to_numpy(dtype=bool) & is_one


def not_repeated(responses: pd.DataFrame, findings: Findings) -> np.ndarray:
    """Mask of the answers to keep: all but those that a customer gave again in the same second.

    An export that holds an earlier one gives them again, under the name of another wave. Those of one second
    that differ are noticed and stay.
    """
    at = responses[["customer_id", "answered_at"]]
    timed = responses["answered_at"] != responses["answered_at"].dt.normalize()
    again = at.duplicated() & at.notna().all(axis=1) & timed
    rest = responses.columns.difference(["response_id", "wave"])
    alike = again & responses[list(rest)].duplicated()
    findings.add("tables.answered_alike", "notice", "answered_at", alike)
    findings.add("tables.answered_twice", "notice", "answered_at", again & ~alike)
    return ~alike.to_numpy()


def with_guests(frame: pd.DataFrame, table: str, settings: Settings, findings: Findings) -> pd.DataFrame:
    """Take ids that are no customer's as guests: words for nobody, and numbers that each order has anew."""
    rule = TABLES[table].columns.get("customer_id")
    if rule is None or rule.required:
        return frame
    ids = frame["customer_id"]
    nobody = among(ids, pd.Series(NOBODY, dtype=TEXT))
    if table == "orders" and not settings.one_order_per_customer:
        known = ids.notna() & ~nobody
        orders, alone = frame["order_id"][known].nunique(), ids[known].nunique()
        if orders >= ORDERS_ALONE and alone >= SHARE_ALONE * orders:
            findings.add("tables.id_per_order", "notice", "customer_id", alone=f"{alone:,}", of=f"{orders:,}")
            nobody = ids.notna()
    return frame.assign(customer_id=ids.mask(nobody)) if nobody.any() else frame


def seen_from_first_order(customers: pd.DataFrame, orders: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Let customers be first seen on the day of their first order where that lies before, and notice it.

    A system that was moved writes the day of the move as everybody's first.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a"], "first_seen_on": pd.to_datetime(["2026-08-15"])})
    >>> orders = pd.DataFrame({"customer_id": ["a"], "ordered_at": pd.to_datetime(["2026-01-02"])})
    >>> seen_from_first_order(people, orders, Findings("c.csv", 1))["first_seen_on"].dt.month.tolist()
    [1]
    """
    day = local_days(orders["ordered_at"], "ordered_at")
    first = day.groupby(orders["customer_id"]).min().reindex(customers["customer_id"])
    first = first.set_axis(customers.index)
    early = (first < customers["first_seen_on"]).to_numpy()
    findings.add("tables.seen_after_order", "notice", "first_seen_on", early)
    if not early.any():
        return customers
    return customers.assign(first_seen_on=customers["first_seen_on"].mask(early, first))
