"""What a mapping leaves out or names in vain: columns nobody reads that matter, values that never occur."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute

from cxlib.checks import Problem
from cxlib.data.exports.column_models import Number, Verb
from cxlib.data.exports.column_verbs import plain_numbers
from cxlib.data.exports.column_words import PRICE
from cxlib.data.exports.mapping import TableMapping
from cxlib.data.exports.rows import Rows, findings_of
from cxlib.data.exports.sheets import Sheet, columns_of
from cxlib.data.exports.source_files import files_of
from cxlib.data.findings import Findings
from cxlib.data.rules.settings import is_money
from cxlib.data.text_type import FROM_ARROW, text_column

#: Cells in which a column shows whether it holds currencies.
LOOKED_AT = 1_000
#: A second id holds fewer ids than the one that was mapped, by this factor at least.
FEWER = 0.98
CLOSE = 0.8
FIGURES = re.compile(r"[0-9]+")
#: Sums that differ by less are alike: floats.
CENT = 0.005
MERGED = re.compile(r"merge|dedup|統合|名寄せ", re.IGNORECASE)
PIECES = re.compile(r"quantity|qty|pieces|数量|個数", re.IGNORECASE)
RETURNED = re.compile(
    r"返品|返金|取消|取り消|キャンセル|\bvoid|refund|return|cancell?ed|chargeback|不成立", re.IGNORECASE
)
OVER = re.compile(r"closed|\bwon\b|\blost\b|受注|成約|失注|不成立|見送り", re.IGNORECASE)
#: Most different values of a column that tells the state of an order.
STATES = 30
PERSON = re.compile(
    r"customer|member|buyer|user|account|contact|client|会員|顧客|お客様|購入者", re.IGNORECASE
)
ID = re.compile(r"(?:^|[\W_])(?:id|no|number|code)s?$|[a-z]I[Dd]$|番号|コード|ＩＤ|ID$", re.IGNORECASE)


def notice_unread(
    rows: Rows, sheets: Sequence[Sheet], names: Sequence[Sequence[str]], part: TableMapping, currency: str
) -> None:
    """Add to the notices of rows what their mapping may have overlooked.

    Parameters
    ----------
    rows
        As they were read; their notices are added to.
    sheets, names
        What they came from, and the names of its columns.
    part
        The mapping in the names of the files.
    currency
        The data set's; columns of another one are named.
    """
    findings = findings_of(rows, rows.notices)
    read = {name.partition("#")[0] for name in part.needs}
    once = [name for name in dict.fromkeys(names[0]) if names[0].count(name) == 1]
    for name in once:
        if name and name not in read and all(own.count(name) == 1 for own in names):
            tables = [columns_of(sheet, own, [name]) for sheet, own in zip(sheets, names, strict=True)]
            _judge(name, pa.concat_tables(tables), rows, part, currency, findings)


def notice_merged(
    rows: Rows, sheets: Sequence[Sheet], names: Sequence[Sequence[str]], part: TableMapping
) -> None:
    """Add to the notices columns in which cells are merged over several rows, and nothing fills them down."""
    findings = findings_of(rows, rows.notices)
    filled = part.fill_down.columns if part.fill_down else []
    for sheet, own in zip(sheets, names, strict=True):
        for at, cells in sheet.merged.items():
            if at < len(own) and own[at] in part.needs and own[at] not in filled:
                findings.add("exports.merged_cells", "notice", own[at], cells=f"{cells:,}")


def _judge(
    name: str, table: pa.Table, rows: Rows, part: TableMapping, currency: str, findings: Findings
) -> None:
    """Judge one column that nothing reads, by its name and what it holds."""
    has_amount, customer = "amount" in part.columns, part.columns.get("customer_id")

    def cells() -> pd.Series:
        return table.to_pandas(types_mapper=FROM_ARROW)[name].fillna("").str.strip()

    if has_amount and _are_currencies(table[name].slice(0, LOOKED_AT).to_pylist()):
        held = cells().str.upper()
        findings.add("exports.unread_currency", "notice", name, (held != "") & (held != currency))
    if has_amount and PIECES.search(name) and _takes_a_price(part):
        findings.add("exports.unread_quantity", "notice", name, pd.to_numeric(cells(), errors="coerce") > 1)
    if has_amount and (returned := _returned(table[name])):
        amount = part.columns["amount"].from_
        sold = cells().isin(returned)
        if amount in rows.frame:
            sold &= ~rows.frame[amount].str.strip().str.startswith(("-", "−", "▲", "△", "("))
        findings.add("exports.unread_returns", "notice", name, sold, values=", ".join(returned[:3]))
    if MERGED.search(name):
        findings.add("exports.unread_merge", "notice", name, cells() != "")
    if customer is not None and customer.from_ in rows.frame and PERSON.search(name) and ID.search(name):
        _notice_second_id(name, cells(), rows.frame[customer.from_].str.strip(), findings)


def _are_currencies(cells: Iterable[str | None]) -> bool:
    held = {cell.strip().upper() for cell in cells if cell and cell.strip()}
    return bool(held) and all(is_money(cell) for cell in held)


def _returned(column: pa.ChunkedArray) -> list[str]:
    """Values of a column of few states that say an order was returned or called off; none where all do."""
    if len(pa.compute.unique(column.slice(0, LOOKED_AT))) > STATES:
        return []
    states = pa.compute.unique(pa.compute.utf8_trim_whitespace(column)).drop_null().to_pylist()
    found = [state for state in states if RETURNED.search(state)] if len(states) <= STATES else []
    return sorted(found) if len(found) < len([state for state in states if state]) else []


def _takes_a_price(part: TableMapping) -> bool:
    """Whether the amount is a column called a price, on its own."""
    return "quantity" not in part.columns and bool(PRICE.search(part.columns["amount"].from_ or ""))


def _notice_second_id(name: str, cells: pd.Series, mapped: pd.Series, findings: Findings) -> None:
    """Notice ids of customers of which one goes with several of those that were mapped."""
    pairs = pd.DataFrame({"own": cells, "mapped": mapped})[(cells != "") & (mapped != "")].drop_duplicates()
    if 1 < pairs["own"].nunique() <= FEWER * pairs["mapped"].nunique():
        several = pairs.loc[pairs["own"].duplicated(keep=False), "own"].unique()
        findings.add("exports.unread_id", "notice", name, cells.isin(several))


def notice_unused(rows: Rows, part: TableMapping) -> None:
    """Notice filters and maps of which no value occurs, or one only in another spelling."""
    findings = findings_of(rows, rows.notices)
    for rule in part.where:
        named = rule.is_in or rule.not_in
        _notice_in_vain("exports.where_in_vain", rule.column, named, rows, findings, rule.of)
    for verb in part.verbs.values():
        if verb.map is not None and _is_plain(verb):
            _notice_in_vain("exports.map_in_vain", str(verb.from_), list(verb.map), rows, findings)
    won = part.columns.get("is_won")
    if won is not None and won.map is not None and won.otherwise == "empty" and _is_plain(won):
        cells = rows.frame[str(won.from_)].str.strip()
        over = [cell for cell in cells.unique() if cell not in won.map and OVER.search(cell)]
        told = ", ".join(sorted(over)[:5])
        findings.add("exports.unread_result", "notice", str(won.from_), cells.isin(over), values=told)


def notice_kept_returns(
    rows: Rows, amount: pd.Series, part: TableMapping, blocks: Sequence[TableMapping], findings: Findings
) -> None:
    """Notice rows that count as sales although a column that is read says they were returned or called off.

    Parameters
    ----------
    rows, amount
        Those that are kept, and what they came to.
    part, blocks
        Their mapping, and all of its table: where one of them takes refunds off, nothing is said.
    findings
        What is noticed is added.
    """
    taken_off = [name for block in blocks for name in block.columns["amount"].needs]
    if any(RETURNED.search(name) for name in taken_off):
        return
    read = [rule.column for rule in part.where] + [verb.from_ for verb in part.extra.values()]
    for column in dict.fromkeys(name for name in read if name in rows.frame):
        cells = rows.frame[column].str.strip()
        if returned := _returned(text_column(cells)):
            sold = cells.isin(returned) & (amount > 0)
            findings.add("exports.kept_returns", "notice", str(column), sold, values=", ".join(returned[:3]))


def notice_sums(rows: Rows, amount: pd.Series, part: TableMapping, findings: Findings) -> None:
    """Notice rows whose amounts do not add up to what the export itself says of them."""
    if (rule := part.adds_up) is None:
        return
    said = rows.frame[rule.to].str.strip()
    told = pd.to_numeric(plain_numbers(said, part.columns["amount"].number or Number()), errors="coerce")
    keys = [rows.frame[name] for name in rule.within]
    off = amount.groupby(keys).transform("sum") - told.groupby(keys).transform("first")
    apart = off.abs() > CENT
    by = f"{off[apart & ~rows.frame.duplicated(rule.within)].sum():,.2f}"
    findings.add("exports.adds_not_up", "notice", rule.to, apart, by=by)


def _is_plain(verb: Verb) -> bool:
    """Whether the cells are mapped as they stand in the file."""
    return verb.from_ is not None and verb.part is None and verb.path is None


def notice_unread_files(folder: Path, blocks: Iterable[TableMapping], problems: list[Problem]) -> None:
    """Notice files named like those that are read but for figures: other days, other parts."""
    readings = [reading for block in blocks for reading in (block, *block.lookup)]
    read = {name for reading in readings for _, name in files_of(folder, reading)}
    there = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    alike = {FIGURES.sub("#", name) for name in read}
    if left := sorted(name for name in there if name not in read and FIGURES.sub("#", name) in alike):
        values = {"files": ", ".join(left[:5]), "count": f"{len(left):,}"}
        problems.append(Problem("exports.unread_files", "notice", left[0], values=values))


def _notice_in_vain(
    key: str,
    column: str,
    values: Sequence[str] | None,
    rows: Rows,
    findings: Findings,
    sign: str | None = None,
) -> None:
    named = [value for value in values or [] if value]
    if not named or column not in rows.frame:
        return
    cells = rows.frame[column].str.strip().unique()
    held = {item.strip() for cell in cells for item in (cell.split(sign) if sign else [cell])} - {""}
    vain = [value for value in named if value not in held]
    others = [_folded(cell) for cell in held - set(named)]
    alike = [value for value in vain if difflib.get_close_matches(_folded(value), others, 1, CLOSE)]
    told = vain if len(vain) == len(named) else alike
    if told and len(held):
        findings.add(key, "notice", column, values=", ".join(told[:5]), of=f"{len(named):,}")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
