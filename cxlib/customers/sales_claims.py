"""What the segmentation chapter may say of where sales lie: how concentrated they are, who carries most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.customers.rfm_segments import rfm_cuts
from cxlib.customers.sales_concentration import concentration, error_df
from cxlib.stats.intervals import critical_value
from cxlib.stats.verdicts import UNDECIDED, limits_side, limits_verdict

#: Share of all sales from which on one customer decides every figure.
DOMINANT = 0.5
LIMITS = ["metric", "estimate", "conf_low", "conf_high"]


def concentration_told(shares: pd.DataFrame) -> dict[str, Any]:
    """Tell how much the top customers bring, and the Gini coefficient.

    Parameters
    ----------
    shares : pandas.DataFrame
        As `concentration`, of one group and one `top`.

    Returns
    -------
    dict
        `metric` (top_share)`, estimate, conf_low, conf_high, n` (customers in the top)`, n_all,
        top_customers` (share of customers chosen as top)`, gini, gini_conf_low, gini_conf_high`; `note` where
        everybody buys the same.

    Examples
    --------
    >>> shares = concentration(pd.DataFrame({"monetary_total": range(1, 101)}), top=[0.1])
    >>> told = concentration_told(shares)
    >>> told["n"], told["n_all"], round(told["estimate"], 3), told["note"]
    (10, 100, 0.189, '')
    """
    gini, top = shares.to_dict("records")
    told = {name: top[name] for name in LIMITS}
    told |= {"n": _whole(top["n_top"]), "n_all": int(top["n"]), "top_customers": top["top"]}
    told |= {f"gini{end}": gini[f"{end[1:] or 'estimate'}"] for end in ("", "_conf_low", "_conf_high")}
    return told | {"note": "segmentation.all_equal" if gini["estimate"] == 0 else ""}


def without_largest(
    customers: pd.DataFrame,
    shares: pd.DataFrame,
    *,
    apart: int,
    value_col: str = "monetary_total",
    conf_level: float = 0.95,
) -> dict[str, Any]:
    """Tell the share of the top without the largest customers, where one of them decides the figures.

    Parameters
    ----------
    customers, shares
        One row per customer, and their `concentration` with one `top`.
    apart : int
        Number of largest customers left out: so many that nobody's own sales can be worked out.
    value_col : str
    conf_level : float

    Returns
    -------
    dict
        The row of the top share, with `top_customers, apart` and a `note`; empty where nobody holds more than
        half of the sales.

    Examples
    --------
    >>> money = pd.DataFrame({"monetary_total": [*range(1, 101), 9_000]})
    >>> told = without_largest(money, concentration(money, top=[0.1]), apart=10)
    >>> told["note"], told["apart"], round(float(told["estimate"]), 2)
    ('segmentation.dominant', 10, 0.19)
    """
    top = shares.iloc[-1]
    if not top["largest_share"] > DOMINANT:
        return {}
    others = customers.sort_values(value_col).iloc[:-apart]
    rest = concentration(others, value_col=value_col, top=[top["top"]], conf_level=conf_level).iloc[-1]
    told = {str(name): held for name, held in rest[LIMITS].items()}
    return told | {"top_customers": top["top"], "apart": apart, "note": "segmentation.dominant"}


def since_then(
    recent: pd.DataFrame, whole: pd.DataFrame, *, since: object, first_on: object
) -> dict[str, Any]:
    """Tell the share of the top by the orders since a day beside that of the whole period.

    Parameters
    ----------
    recent, whole : pandas.DataFrame
        As `concentration`.
    since, first_on : date
        First day of `recent`, and of the first order of all.

    Returns
    -------
    dict
        As `concentration_told`, with `since` and `whole_share`; only a `note` where no order is older.

    Examples
    --------
    >>> shares = concentration(pd.DataFrame({"monetary_total": range(1, 101)}), top=[0.1])
    >>> since_then(shares, shares, since="2026-01-01", first_on="2026-01-01")
    {'note': 'segmentation.no_last_year'}
    """
    if not pd.Timestamp(str(first_on)) < pd.Timestamp(str(since)):
        return {"note": "segmentation.no_last_year"}
    told = concentration_told(recent) | {"note": ""}
    return told | {"since": since, "whole_share": whole["estimate"].iloc[-1]}


def service_rule(shares: pd.DataFrame, *, needed_share: float) -> dict[str, Any]:
    """Apply "a service of its own for the top": met where the lower limit of their share exceeds the need.

    Parameters
    ----------
    shares : pandas.DataFrame
        As `concentration`, of one group and one `top`.
    needed_share : float
        Share of sales the rule asks for.

    Returns
    -------
    dict
        As `concentration_told`, with `needed_share` and `verdict` (met, not_met); empty where everybody buys
        the same.

    Examples
    --------
    >>> shares = concentration(pd.DataFrame({"monetary_total": range(1, 101)}), top=[0.1])
    >>> [service_rule(shares, needed_share=share)["verdict"] for share in (0.15, 0.3)]
    ['met', 'not_met']
    """
    told = concentration_told(shares)
    if told["note"]:
        return {}
    ends = (told["conf_low"], told["conf_high"])
    words = {"above": "met", "below": "not_met", "neither": "not_met"}
    verdict = limits_verdict(*ends, null=needed_share, unit="share", **words)
    return told | {"needed_share": needed_share, "verdict": verdict}


def group_lead(
    customers: pd.DataFrame,
    shares: pd.DataFrame | None = None,
    *,
    by: str = "segment",
    value_col: str = "monetary_total",
    conf_level: float = 0.95,
) -> dict[str, Any]:
    """Say whether the group with the largest share of sales carries more than every other group.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; groups without positive net sales and customers without a group are left out.
    shares : pandas.DataFrame, optional
        As `segment_table`, small groups blanked: what may be shown of the leader and the next.
    by, value_col : str
        Group column, and money.
    conf_level : float
        Of all pairs of groups together: the leader was found by looking at all of them.

    Returns
    -------
    dict
        `claim` ("leads", "tied", "too_few": the difference may be anything) with `verdict` (leads,
        no_difference_shown, not_enough_data), the leader under the name of `by`, `next_…, ahead,
        ahead_conf_low, ahead_conf_high` (difference to the next share, or to the first that cannot be told,
        -1…1), `tied_…` (groups that cannot be told from the first, itself at the head), `groups` (number
        looked at); with `shares` also the leader's row and `next_share`, or a `note` where either is blanked.
        Empty with fewer than two groups.

    Notes
    -----
    Difference of two shares of one total, groups taken as given: Σ(x·1₁ - x·1₂ - d·x)/Σx, limits by Student's
    t with degrees of freedom from the kurtosis of these influences (`concentration`), Bonferroni over pairs.

    Examples
    --------
    >>> base = pd.DataFrame({"segment": ["A", "B"] * 50, "monetary_total": [9.0, 1, 8, 2] * 25})
    >>> found = group_lead(base)
    >>> found["claim"], found["segment"], round(float(found["ahead"]), 2)
    ('leads', 'A', 0.7)
    """
    check_columns(customers, by=by, value_col=value_col)
    known = customers.dropna(subset=[by])
    sums = known.groupby(by, observed=True)[value_col].sum()
    sums = sums[sums > 0].sort_index().sort_values(ascending=False, kind="stable")
    if len(sums) < 2:
        is_one = shares is None or len(customers[by].unique()) == 1
        return {} if is_one else {"note": "segmentation.no_carrier"}
    known = known[known[by].isin(sums.index)]
    x, group = known[value_col].to_numpy(dtype=float), known[by].to_numpy()
    pairs = len(list(combinations(sums.index, 2)))
    rows = []
    for other in sums.index[1:]:
        ahead = (sums.iloc[0] - sums[other]) / sums.sum()
        influence = x * ((group == sums.index[0]).astype(float) - (group == other) - ahead) / sums.sum()
        spread = np.sqrt((influence**2).sum())
        half = critical_value(1 - (1 - conf_level) / pairs, df=error_df(influence)) * spread
        rows.append((other, ahead, max(ahead - half, -1.0), min(ahead + half, 1.0)))  # of two shares
    names, ahead, low, high = zip(*rows, strict=True)
    behind = limits_side(low, high, unit="pp") > 0
    tied = [sums.index[0], *(name for name, clear in zip(names, behind, strict=True) if not clear)]
    place = names.index(tied[1]) if len(tied) > 1 else 0
    is_empty = low[place] <= -1 and high[place] >= 1  # it may be anything
    claim = "leads" if len(tied) == 1 else "too_few" if is_empty else "tied"
    verdict = {"leads": "leads", "too_few": "not_enough_data"}.get(claim, UNDECIDED)
    found = {"claim": claim, "verdict": verdict, by: sums.index[0]}
    found |= {f"next_{by}": names[place], "ahead": ahead[place], "ahead_conf_low": low[place]}
    found |= {"ahead_conf_high": high[place], f"tied_{by}": tied, "groups": len(sums), "note": ""}
    return found if shares is None else found | _as_shown(found, shares, by)


def _as_shown(found: dict[str, Any], shares: pd.DataFrame, by: str) -> dict[str, Any]:
    """Take what the table shows of the leader and the next; a note where either is blanked."""
    pair = shares.set_index(by).reindex([found[by], found[f"next_{by}"]])
    if pair["conf_low"].isna().any():
        return {"note": "segmentation.no_carrier"}
    first, second = pair.to_dict("records")
    told = {name: first[name] for name in [*LIMITS, "n", "customer_share"]}
    return told | {"next_share": second["estimate"]}


def nobody_in(groups: Sequence[str], held: Iterable[object], *, note: str) -> dict[str, Any]:
    """Name the segments of the rules that hold nobody; empty where all hold somebody, or none does.

    Examples
    --------
    >>> nobody_in(["a", "b"], ["a"], note="segmentation.no_b"), nobody_in(["a"], [], note="segmentation.no_a")
    ({'empty_segment': ['b'], 'note': 'segmentation.no_b'}, {})
    """
    found = set(held)
    empty = [name for name in groups if name not in found] if found else []
    return {"empty_segment": empty, "note": note} if empty else {}


def lacking(shown: pd.DataFrame, *, note: str, **values: object) -> dict[str, Any]:
    """Say `note` where no row of a result may be shown; empty otherwise.

    Examples
    --------
    >>> [lacking(pd.DataFrame({"estimate": [one]}), note="a.b", days=90) for one in (None, 0.5)]
    [{'days': 90, 'note': 'a.b'}, {}]
    """
    return {} if shown["estimate"].notna().any() else {**values, "note": note}


def deciles_lacking(table: pd.DataFrame) -> dict[str, Any]:
    """Say why there are no deciles; empty where there are.

    Examples
    --------
    >>> [deciles_lacking(pd.DataFrame({"note": [one]})) for one in ("", "all_equal")]
    [{}, {'note': 'segmentation.deciles_equal'}]
    """
    notes = {"not_enough_data": "segmentation.no_deciles", "all_equal": "segmentation.deciles_equal"}
    found = [note for reason, note in notes.items() if table["note"].eq(reason).any()]
    return {"note": found[0]} if found else {}


def shown_deciles(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of `decile_table` that a report may show; empty where nobody can be ranked.

    A border is one customer's own amount: it has two digits, and the lowest group has none.

    Examples
    --------
    >>> table = pd.DataFrame({"decile": [1, 10], "lower_amount": [12_345.0, 17.0], "note": ""})
    >>> shown_deciles(table)["lower_amount"].tolist()
    [12000.0, nan]
    """
    shown = table if not deciles_lacking(table) else table.head(0)
    lower = shown["lower_amount"].map(_two_digits).mask((shown["decile"] == 10).fillna(value=False))
    left_out = ["amount_share", "customer_share", "upper_amount", "note"]
    return shown.assign(lower_amount=lower).drop(columns=left_out, errors="ignore")


def shown_cuts(customers: pd.DataFrame, *, least: int = 1) -> pd.DataFrame:
    """Cut points of `rfm_cuts` that a report may show, two digits each; empty below `least` with scores.

    Examples
    --------
    >>> base = pd.DataFrame({"recency_days": range(100, 110), "frequency": 1, "monetary_total": 5.0})
    >>> shown_cuts(base.assign(r_score=1))["upper"].tolist()[:4]
    [100.0, 100.0, 100.0, 110.0]
    """
    if customers["r_score"].notna().sum() < least:
        return pd.DataFrame(columns=["metric", "score", "upper"])
    cuts = rfm_cuts(customers)
    return cuts.assign(upper=cuts["upper"].map(_two_digits))


def enough_in_top(shares: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Leave out the top of groups so small that the top itself is a few customers, as `concentration`.

    Examples
    --------
    >>> shares = pd.DataFrame({"top": [None, 0.1], "n": [50, 50]})
    >>> len(enough_in_top(shares)), len(enough_in_top(shares, min_cell=5))
    (1, 2)
    """
    return shares[shares["top"].isna() | (shares["n"] * shares["top"] >= min_cell)]


def _two_digits(number: float) -> float:
    return float(f"{number:.2g}")


def _whole(number: float) -> int | None:
    return None if np.isnan(number) else int(number)
