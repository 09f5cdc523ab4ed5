"""What the chapter on customer value may say of lifetime value, cost, hold-out and equity."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cxlib.stats.first_place import leading
from cxlib.stats.intervals import critical_value
from cxlib.stats.verdicts import limits_verdict
from cxlib.value.acquisition_cost import BLENDED, NO_CUSTOMERS, NO_SPEND, PAID
from cxlib.value.fitted_parameters import BOUNDARY, ONE_RATE, TOO_FEW
from cxlib.value.value_so_far import ALL_ALIKE, FEW_CARRY

#: Why nothing is told of new customers: first purchases can't be told from later ones.
UNSETTLED = "unsettled"
#: Share of what customers are expected to bring that one of them may have for the sum to be told.
MOST_OF_ONE = 0.5


def ltv_told(rows: pd.DataFrame, *, horizon_months: int) -> list[dict[str, Any]]:
    """Rows of `ltv` to say: each estimate by its method, and why there is none or no limits.

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["mature"], "metric": ["ltv"], "estimate": [9.0], "conf_low": [8.0],
    ...     "conf_high": [10.0], "n": [50], "note": [""]})
    >>> ltv_told(rows, horizon_months=12)[0]["claim"]
    'mature'
    """
    told = []
    for row in rows_of(rows):
        about = {"horizon_months": horizon_months, "claim": row["method"]}
        if pd.notna(row["conf_low"]):
            told.append(row | about | {"note": ""})
        elif pd.notna(row["estimate"]):
            told.append(row | about | {"note": row["note"] if row["note"] == ALL_ALIKE else FEW_CARRY})
        else:
            is_contract = (row["method"], row["note"]) == ("sbg", TOO_FEW)
            told.append(row | about | {"note": "too_few_ended" if is_contract else row["note"]})
    return told


def who_has_left(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say whether it can be told who has left: not where customers are not shown to differ in leaving.

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["model"], "estimate": [9.0], "n": [90], "note": ["one_rate"]})
    >>> who_has_left(rows)[0]["claim"]
    'unknown'
    """
    model = rows[(rows["method"] == "model") & rows["estimate"].notna()]
    return [
        {"claim": "unknown", "n": row["n"]} for row in rows_of(model) if row["note"] in (ONE_RATE, BOUNDARY)
    ]


def ways_apart(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say whether the two ways by purchases agree: their difference against its error, as if independent.

    They share customers, so that the error is too large rather than too small: a difference shown is one.

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["mature", "model"], "estimate": [9.0, 5.0], "std_error": [0.5, 0.5],
    ...     "n": 50})
    >>> ways_apart(rows)[0]["claim"]
    'apart'
    """
    known = rows.set_index("method").reindex(["mature", "model"])
    gap = known["estimate"].iloc[0] - known["estimate"].iloc[1]
    error = float((known["std_error"] ** 2).sum(min_count=2) ** 0.5)
    if not error > 0:
        return []
    claim = "apart" if abs(gap) > 1.96 * error else "agree"
    return [{"claim": claim, "share": abs(gap) / known["estimate"].iloc[0], "n": int(known["n"].min())}]


def channel_verdicts(costs: pd.DataFrame) -> pd.DataFrame:
    """Rows "ltv_to_cac" of single channels with the verdict whether they pay within the horizon.

    Parameters
    ----------
    costs
        Result of `cac` with purchases.

    Returns
    -------
    DataFrame
        With `verdict`: "pays" (the whole interval above 1), "loss" (wholly below), "undecided"; rows without
        limits are "undecided" and keep their `note`.

    Examples
    --------
    >>> rows = pd.DataFrame({"acquisition_channel": ["ad"], "metric": ["ltv_to_cac"], "estimate": [3.0],
    ...     "conf_low": [2.0], "conf_high": [4.0], "n": [50], "note": [""]})
    >>> channel_verdicts(rows)["verdict"].item()
    'pays'
    """
    rows = costs[(costs["metric"] == "ltv_to_cac") & ~costs["acquisition_channel"].isin([PAID, BLENDED])]
    return rows.assign(verdict=_pays(rows["conf_low"], rows["conf_high"])).reset_index(drop=True)


def channels_to_tell(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Say which channels pay, which do not, and which can't be judged and why: a list of each.

    Examples
    --------
    >>> rows = pd.DataFrame({"acquisition_channel": ["ad", "tv"], "verdict": ["pays", "undecided"],
    ...     "note": ["", "few_carry"], "n": [50, 60]})
    >>> [(row["claim"], row["channels"]) for row in channels_to_tell(rows)]
    [('pays', ['ad']), ('few_carry', ['tv'])]
    """
    unpaid = verdicts["note"].isin([NO_SPEND, NO_CUSTOMERS])
    why = verdicts["verdict"].mask(
        (verdicts["verdict"] == "undecided") & (verdicts["note"] != ""), verdicts["note"]
    )
    told = _listed(verdicts[~unpaid].assign(claim=why[~unpaid]), "claim")
    lone = verdicts.loc[verdicts["note"] == NO_CUSTOMERS, "acquisition_channel"].tolist()
    return told + ([{"claim": NO_CUSTOMERS, "note": NO_CUSTOMERS, "channels": lone}] if lone else [])


def _listed(rows: pd.DataFrame, column: str) -> list[dict[str, Any]]:
    """Channels of each value of a column, what pays first and what can't be judged last."""
    order = {"pays": 0, "loss": 1, "undecided": 2}
    names = sorted(rows[column].unique(), key=lambda name: (order.get(name, 3), name))
    parts = ((name, rows[rows[column] == name]) for name in names)
    return [
        {"claim": name, "channels": own["acquisition_channel"].tolist(), "n": int(own["n"].sum())}
        for name, own in parts
    ]


def cost_moved(cohorts: pd.DataFrame, *, conf_level: float = 0.95) -> dict[str, Any]:
    """Tell whether a new customer of the newest cohort cost more or less than one of all earlier cohorts.

    Parameters
    ----------
    cohorts
        Result of `cac_by_cohort`.
    conf_level
        Level of the limits of the ratio (numbers of new customers as Poisson counts).

    Returns
    -------
    dict
        `metric` ("cost_ratio"), `estimate, conf_low, conf_high` (newest over earlier), `cac, earlier_amount`
        (currency), `cohort, n, verdict` ("worse" for dearer, "better" for cheaper, or
        "no_difference_shown"); empty with one cohort.

    Examples
    --------
    >>> rows = pd.DataFrame({"cohort": pd.to_datetime(["2026-01-01", "2026-04-01"]), "metric": "cac",
    ...     "estimate": [10.0, 20.0], "spend_amount": [2000.0, 4000.0], "n": 200})
    >>> told = cost_moved(rows)
    >>> told["verdict"], told["estimate"]
    ('worse', 2.0)
    """
    is_cost = (cohorts["metric"] == "cac") & (cohorts["n"] > 0) & cohorts["estimate"].notna()
    rows = cohorts[is_cost].sort_values("cohort")
    if len(rows) < 2:
        return {}
    newest, earlier = rows.iloc[-1], rows.iloc[:-1][["spend_amount", "n"]].sum()
    before = float(earlier["spend_amount"] / earlier["n"])
    ratio = float(newest["estimate"]) / before
    reach = math.exp(critical_value(conf_level) * math.sqrt(1 / newest["n"] + 1 / earlier["n"]))
    ends = {"conf_low": ratio / reach, "conf_high": ratio * reach}
    sides: dict[str, Any] = {"null": 1.0, "unit": "ratio", "above": "worse", "below": "better"}
    costs = {"cac": newest["estimate"], "earlier_amount": before, "cohort": newest["cohort"]}
    told = {"metric": "cost_ratio", "estimate": ratio, **ends, **costs, "n": int(rows["n"].sum())}
    return told | {"verdict": limits_verdict(ends["conf_low"], ends["conf_high"], **sides)}


def best_channel(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Name the channel with the most value for its cost, and whether its interval clears the next one.

    Where a channel has a ratio without an interval, which may be the largest, `claim` ends in "_judged".

    Examples
    --------
    >>> rows = pd.DataFrame({"acquisition_channel": ["ad", "tv"], "metric": "ltv_to_cac",
    ...     "estimate": [3.0, 9.0], "conf_low": [2.0, 8.0], "conf_high": [4.0, 10.0], "n": 50, "note": ""})
    >>> [(row["claim"], row["first"]) for row in best_channel(rows)]
    [('first', 'tv')]
    """
    known = verdicts[verdicts["conf_low"].notna()]
    place = leading(known, name_col="acquisition_channel", unit="ratio")
    if place["rank"] in ("none", "only"):
        return []
    (row,) = rows_of(known[known["acquisition_channel"] == place["first"]])
    rest = "" if len(known) == verdicts["estimate"].notna().sum() else "_judged"
    return [row | place | {"claim": f"{place['rank']}{rest}", "verdict": None, "note": ""}]


def paid_together(costs: pd.DataFrame, *, horizon_months: int) -> list[dict[str, Any]]:
    """Tell cost, value and payback of the paid channels together, or why not.

    Examples
    --------
    >>> rows = pd.DataFrame({"acquisition_channel": "paid channels", "metric": ["cac", "ltv_to_cac"],
    ...     "estimate": [100.0, 3.0], "conf_low": [90, 2], "conf_high": [110, 4], "n": 50, "note": ""})
    >>> told = paid_together(rows, horizon_months=12)[0]
    >>> told["verdict"], float(told["cac"])
    ('pays', 100.0)
    """
    rows = costs[costs["acquisition_channel"] == PAID].set_index("metric")
    if "ltv_to_cac" not in rows.index or rows.loc[["cac"], "estimate"].isna().all():
        is_unsettled = UNSETTLED in set(rows.get("note", []))
        return [{"note": UNSETTLED if is_unsettled else "no_cost"}]
    (row,) = rows_of(rows.loc[["ltv_to_cac"]])
    row |= {"metric": "ltv_to_cac", "horizon_months": horizon_months}
    row |= {f"cac{end}": rows.loc["cac", name] for end, name in _ENDS.items()}
    verdict = _pays(row["conf_low"], row["conf_high"])
    return [row | {"verdict": verdict, "note": "" if pd.notna(row["conf_low"]) else row["note"]}]


_ENDS = {"": "estimate", "_conf_low": "conf_low", "_conf_high": "conf_high"}


def _pays(conf_low: Any, conf_high: Any) -> Any:
    """Verdict on a ratio of value to cost: beyond 1 with its whole interval, or not."""
    words: dict[str, Any] = {"above": "pays", "below": "loss", "neither": "undecided"}
    return limits_verdict(conf_low, conf_high, null=1.0, unit="ratio", **words)


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as mappings by column."""
    return [{str(name): held for name, held in row.items()} for row in frame.to_dict("records")]


def channel_acts(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Say what the rule asks for: channels to spend more on, to cut, to leave; or that there is no ratio.

    Examples
    --------
    >>> channel_acts(pd.DataFrame(columns=["acquisition_channel", "verdict", "note", "n"]))
    [{'note': 'no_cost'}]
    """
    paid = verdicts[~verdicts["note"].isin([NO_SPEND, NO_CUSTOMERS])]
    acts = [row | {"verdict": row["claim"]} for row in _listed(paid, "verdict")]
    return acts or [{"note": "no_cost"}]


def held_out_told(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say of each way whether what came lay in its interval, and whether it beat the naive rule.

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["model", "naive"], "metric": "value_next", "estimate": [9.0, 15.0],
    ...     "conf_low": [8.0, None], "conf_high": [11.0, None], "realised": 10.0, "error_share": [-0.1, 0.5],
    ...     "n": 50, "verdict": ["pass", None], "note": ""})
    >>> [(row["verdict"], row["claim"]) for row in held_out_told(rows)]
    [('pass', 'beats')]
    """
    known = rows[rows["conf_low"].notna() & rows["error_share"].notna()]
    naive = rows.loc[rows["method"] == "naive", "error_share"].abs()
    told = []
    for row in rows_of(known):
        claim = "renewals"
        if row["metric"] == "value_next":
            claim = "beats" if (abs(row["error_share"]) < naive).all() else "behind"
            row |= {"naive_share": naive.iloc[0]}
        told.append(row | {"claim": claim, "off_share": abs(row["error_share"])})
    is_nothing = known.empty and bool((rows["conf_low"].notna() & (rows["realised"] == 0)).any())
    return told or [{"note": "customer_value.nothing_came" if is_nothing else "customer_value.no_hold_out"}]


def equity_told(equity: pd.DataFrame, change: pd.DataFrame, *, by: str = "segment") -> list[dict[str, Any]]:
    """Say what present customers will still bring together, and what the change is made of.

    Examples
    --------
    >>> equity = pd.DataFrame({"segment": [None], "metric": "equity", "estimate": [9.0], "conf_low": [8.0],
    ...     "conf_high": [10.0], "n": [50], "note": [""], "largest_share": [0.1]})
    >>> change = pd.DataFrame({"part": ["total", "lost"], "estimate": [3.0, -1.0]})
    >>> equity_told(equity, change)[0]["lost_amount"]
    -1.0
    """
    (whole,) = rows_of(equity[equity[by].isna()])
    if pd.isna(whole["conf_low"]):
        return [{"note": "customer_value.no_equity"}]
    if whole["largest_share"] > MOST_OF_ONE:
        return [{"note": "customer_value.one_carries", "largest_share": whole["largest_share"]}]
    parts = {f"{part}_amount": value for part, value in zip(change["part"], change["estimate"], strict=True)}
    return [whole | parts | {"note": ""}]


def keep_or_win(equity: pd.DataFrame, costs: pd.DataFrame, *, by: str = "segment") -> list[dict[str, Any]]:
    """Set what a present customer will still bring beside what a new one brings beyond its cost.

    Examples
    --------
    >>> equity = pd.DataFrame({"segment": [None], "mean_residual": [9.0], "n": [50], "largest_share": [0.1]})
    >>> costs = pd.DataFrame({"acquisition_channel": "paid channels", "metric": ["cac", "ltv"],
    ...     "estimate": [5.0, 20.0]})
    >>> told = keep_or_win(equity, costs)[0]
    >>> told["present_amount"], told["beyond_amount"]
    (9.0, 15.0)
    """
    whole = equity[equity[by].isna()]
    paid = costs[costs["acquisition_channel"] == PAID].set_index("metric")["estimate"]
    present = float(whole["mean_residual"].iloc[0])
    if not whole["largest_share"].iloc[0] <= MOST_OF_ONE or not {"cac", "ltv"} <= set(paid.dropna().index):
        return []
    worth = {"present_amount": present, "beyond_amount": float(paid["ltv"] - paid["cac"])}
    return [worth | {"n": int(whole["n"].iloc[0])}]


def model_missed(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Warn where the purchase model did not foretell the months held out.

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["model"], "verdict": ["fail"], "error_share": [-0.2]})
    >>> model_missed(rows)[0]["off_share"]
    0.2
    """
    missed = rows[(rows["method"] == "model") & (rows["verdict"] == "fail")]
    about = {"note": "customer_value.model_missed", "level": "warning", "only_here": True}
    return [about | {"off_share": abs(row["error_share"])} for row in rows_of(missed)]
