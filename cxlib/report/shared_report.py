"""The report that may leave the company: the same chapter, with every number coarse and no chart.

`cx run --shared` puts it in the place of `display.Report`, so that a chapter needs to know nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxlib.checks import check_min_cell
from cxlib.language import LANGUAGES, format_value, text
from cxlib.report.coarse_numbers import Under, coarse_frame, coarse_of, coarse_value
from cxlib.report.company import Company
from cxlib.report.disclosure import FLAG, is_small
from cxlib.report.header import TABLES_OF
from cxlib.report.layout import Labels, Units, column_units
from cxlib.report.markup import Cell
from cxlib.report.report import Level, Report
from cxlib.report.values import Value

#: Sentences that are held against the company's own systems.
INTERNAL = ("segmentation.sums",)


class SharedReport(Report):
    """A report with counts, money and shares rounded by one stated rule (`report.coarse_numbers`).

    A class because it stands in for `Report` without the chapter's knowing. Verdicts stay those of the exact
    numbers; charts, standard errors and what the data set's own checks noticed are left out.
    """

    def __init__(self, name: str, data_set: Company, **options: Any) -> None:
        asked = getattr(options.get("scope"), "min_cell", options.get("min_cell", 10))
        self.coarse = coarse_of(_amounts(name, data_set), min_cell=check_min_cell(asked))
        super().__init__(name, cast(Company, _WithoutNotices(data_set)), **options)
        steps = {"step": self.coarse.sum_step, "whole": self.coarse.whole_step}
        steps |= {"share": self.coarse.share_step}
        words = self._formatted(steps, {"step": "currency", "whole": "currency", "share": "set_share"})
        said = {"base": str(self.coarse.base), **words}
        texts = {each: text("sharing.rule", each, **said) for each in LANGUAGES}
        self._show_notice("sharing.rule", "info", texts, only_here=True)

    def table(
        self,
        key: str,
        frame: pd.DataFrame,
        *,
        units: Units | None = None,
        labels: Labels | None = None,
        n_col: str | None = "n",
        people: pd.DataFrame | None = None,
        metric: str | None = None,
        words: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a result frame as `Report.table` does, rounded; small rows are blanked before."""
        n_col = "customers" if n_col == "n" and "customers" in frame.columns else n_col
        if n_col not in frame.columns:
            n_col = None
        if n_col is not None and FLAG not in frame.columns:
            frame = self.suppress(frame, n_col=n_col)
        flags = frame[FLAG] if FLAG in frame.columns else pd.Series(data=False, index=frame.index)
        shown = frame.drop(columns=FLAG, errors="ignore")
        all_units = column_units(shown, units or {})
        how: Any = {"units": all_units, "n_col": n_col, "coarse": self.coarse, "people": people}
        rounded = coarse_frame(shown, metric=metric, **how)
        is_empty = (
            rounded.map(lambda item: item is None or isinstance(item, Under)).all() & shown.notna().any()
        )
        worded = rounded.loc[:, ~is_empty].map(self._worded).assign(**{FLAG: flags})
        super().table(key, worded, units=all_units, labels=labels, n_col=None, words=words)

    def figure(self, key: str, drawn: Axes | Figure, **options: Any) -> None:
        """Leave a chart out: a reader measures its points as exactly as it was drawn."""
        figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
        pyplot.close(figure)

    def finding(
        self,
        key: str,
        *,
        verdict: str | None = None,
        subject: str | None = None,
        wording: str | None = None,
        units: Mapping[str, str] | None = None,
        **numbers: object,
    ) -> None:
        """Show a sentence as `Report.finding` does, from rounded numbers."""
        raw = {name: item.value if isinstance(item, Value) else item for name, item in numbers.items()}
        if is_small(raw, min_cell=self.min_cell):
            numbers = {"n": 0}  # hidden by `Report` with its own words
        rounded = self._rounded(numbers, units or {})
        if any(isinstance(item, Under) and item.unit != "share" for item in rounded.values()):
            self.notice("sharing.finding_hidden")
            return
        said = {name: self._worded(item) for name, item in rounded.items()}
        super().finding(key, verdict=verdict, subject=subject, wording=wording, units=units, **said)

    def notice(
        self,
        key: str,
        *,
        level: Level = "info",
        only_here: bool = False,
        subject: str = "",
        wording: str | None = None,
        **values: object,
    ) -> None:
        """Show a sentence as `Report.notice` does, from rounded numbers; none of `INTERNAL`."""
        if key in INTERNAL:
            return
        said = {name: self._worded(item) for name, item in self._rounded(values, {}).items()}
        super().notice(key, level=level, only_here=only_here, subject=subject, wording=wording, **said)

    def _as_told(self, values: dict[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
        """Round the numbers of a phrase within a sentence too."""
        return {name: self._worded(item) for name, item in self._rounded(values, units).items()}

    def _rounded(self, values: Mapping[str, object], units: Mapping[str, str]) -> dict[str, object]:
        """Round each placeholder's number by the customers the sentence itself counts."""
        people = [_plain(values[name]) for name in ("n", "n_treatment", "customers") if name in values]
        n = next((float(count) for count in people if isinstance(count, int | float) and count > 0), None)
        return {name: self._rounded_one(name, item, units.get(name), n) for name, item in values.items()}

    def _rounded_one(self, name: str, item: object, unit: str | None, n: float | None) -> object:
        if isinstance(item, list | tuple):
            return [self._rounded_one(name, part, unit, n) for part in item]
        raw = _plain(item)
        by_kind = "count" if isinstance(raw, int) else "number"
        own = item.unit if isinstance(item, Value) else unit or by_kind
        found = coarse_value(raw, name=name, unit=own, n=n, coarse=self.coarse)
        return Value(found, own) if isinstance(item, Value) and not isinstance(found, Under) else found

    def _worded(self, item: object) -> object:
        if not isinstance(item, Under):
            return item
        limit = -item.limit if item.is_negative else item.limit
        amount = format_value(limit, item.unit, self.lang, currency=self.data_set.currency)
        return text("sharing.above" if item.is_negative else "sharing.under", self.lang, amount=amount)

    def _coverage_cell(self, name: str, item: Any) -> Cell:
        if name in ("rows", "customers") and item is not None:
            item = coarse_value(item, name=name, unit="count", n=None, coarse=self.coarse)
        return super()._coverage_cell(name, item)

    def _show(self, kind: str, key: str, html: str, plain: str, record: Mapping[str, object]) -> None:
        if kind == "header":  # its table is in the record as well, exact
            record = {name: item for name, item in record.items() if name not in ("tables", "close")}
        super()._show(kind, key, html, plain, {**record, "is_shared": True})


class _WithoutNotices:
    """A data set that keeps what its checks noticed to itself; a class because reports ask for attributes."""

    notices: Sequence[object] = ()

    def __init__(self, data_set: Company) -> None:
        self._data_set = data_set

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data_set, name)


def _amounts(name: str, data_set: Company) -> pd.Series:
    """Sum what each customer bought, or is offered where a report reads deals: the larger decides."""
    wanted = {"orders", *(TABLES_OF.get(name) or data_set.tables)} & {"orders", "deals"}
    found = [pd.Series(dtype="float64")]
    for table in sorted(wanted & set(data_set.tables)):
        rows = data_set.table(table)
        if {"customer_id", "amount"} <= set(rows.columns):
            money = rows["amount"].abs().astype("float64")
            found.append(money.groupby(rows["customer_id"], observed=True).sum())
    return max(found, key=lambda sums: sums.max() if len(sums) else 0.0)


def _plain(item: object) -> Any:
    raw = item.value if isinstance(item, Value) else item
    return raw.item() if hasattr(raw, "item") and not isinstance(raw, str) else raw
