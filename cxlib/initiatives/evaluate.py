"""One initiative from its row in the register to verdict and money: the same steps for every report.

Above `impact` (what changed) and `roi` (what it earned), which know nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError
from cxlib.data.convert import among
from cxlib.initiatives.doubt.drift import drift_check
from cxlib.initiatives.effect.by_month import monthly_effects
from cxlib.initiatives.effect.ladder import answer_rung, evidence_ladder, nobody_left, observed_months
from cxlib.initiatives.money.flows import flatten, roi_summary
from cxlib.initiatives.money.verdicts import break_even_effect, judge_return, money_state, verdict
from cxlib.initiatives.study.members import drop_small_arms, enrolment_notes, study_notes
from cxlib.initiatives.study.panel import study_members, study_panel
from cxlib.initiatives.study.rollout import rollout_groups
from cxlib.stats.arrays import Array

PRICED = ("ready", "drift")  # states of money with a return
#: Why there is no comparison, by the note that says so; the first that holds.
_ALONE = {
    "no_members": "no_members",
    "small_arm": "small_arm",
    "no_months_before": "no_before",
    "no_months_in_period": "no_before",
    "found": "found",
}


@dataclass(frozen=True)
class Terms:
    """By which rule an initiative is judged and paid; frozen, because it stands before the numbers.

    Attributes
    ----------
    outcome_col : str
        Outcome of the verdict: `margin, amount, orders` or `repeat`. Money is always about `margin`.
    horizon_months : int
        Months after which the verdict is due.
    conf_level, min_cell
        Level of every interval; smallest group that is evaluated.
    min_effect : float
        Smallest effect worth having, per customer and month.
    contribution_margin_rate : float
        Margin as a share of the amount where none is recorded, 0 to 1.
    discount_rate_annual : float
        Yearly rate for present values.
    cannibalised_share : float
        Part of the gain taken from sales that are not in the data, 0 to 1; a loss stays whole.
    people_cost_monthly : float
        Time of people for the whole initiative, in currency a month, beside the costs of the register.
    currency : str, optional
        ISO code: limits of money count as they are shown.
    """

    outcome_col: str = "margin"
    horizon_months: int = 12
    conf_level: float = 0.95
    min_cell: int = 10
    min_effect: float = 0.0
    contribution_margin_rate: float = 0.3
    discount_rate_annual: float = 0.05
    cannibalised_share: float = 0.0
    people_cost_monthly: float = 0.0
    currency: str | None = None


_SHOWN: dict[str, Any] = {"index": False, "na_rep": "–", "float_format": "{:,.6g}".format}


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What is known about one initiative; a class because the reports need the steps as well as the end.

    Shown in a notebook it is its `summary`.

    Attributes
    ----------
    members, panel : DataFrame
        The study group of the selection, small arms still in it; its months, small arms left out.
    notes : list of dict
        What weakens the study, as the arguments of `Report.notice`.
    ladder, answer, drift : DataFrame, Series, DataFrame
        `evidence_ladder`, its `answer_rung`, and `drift_check` for the outcome.
    observed : int
        Whole months observed.
    effects, covariance : DataFrame, array
        `monthly_effects` on margin, up to the horizon.
    decision : DataFrame
        `verdict`, with the return taken in (`judge_return`), and with `reason` telling apart why nothing is
        compared: `no_control` (nobody), `small_arm` (a group too small to be shown), `no_before` (no month
        before the start), `found` (only customers passed over), `no_members` (nobody of the selection is in
        the study), `none_left` (the last wave has begun before the months were over). All are not shown even
        before the horizon is over, because to wait does not help; `not_begun` where the start lies after the
        last day.
    effect_verdict : str
        The verdict before the return was taken in.
    has_drift, has_drift_money : bool
        The groups moved apart before the start, in the outcome and in margin.
    state : str
        `money_state`.
    terms : dict
        Arguments of `roi_summary` and its kin: costs of this selection, share, level, rate, covariance. A
        cost that is not recorded counts as zero there, which `state` tells.
    money : DataFrame or None
        `roi_summary`; None without an effect that has an interval.
    break_even_effect : float
        Effect per customer and month that covers the cost over the horizon.
    cost_share : float
        Part of the initiative's treated customers that is in this selection, and bears the cost.
    has_few_groups : bool
        Whole regions, shops or owners were treated or not, too few of them to compare anything.
    rule, assignment
        The terms it was judged by; how customers got into the groups.
    """

    members: pd.DataFrame
    panel: pd.DataFrame
    notes: list[dict[str, Any]]
    ladder: pd.DataFrame
    answer: pd.Series
    drift: pd.DataFrame
    observed: int
    effects: pd.DataFrame
    covariance: Array
    decision: pd.DataFrame
    effect_verdict: str
    has_drift: bool
    has_drift_money: bool
    state: str
    terms: dict[str, Any]
    money: pd.DataFrame | None
    break_even_effect: float
    cost_share: float
    has_few_groups: bool = False
    rule: Terms = Terms()
    assignment: str = ""

    @property
    def summary(self) -> pd.DataFrame:
        """The end in one table: the effect with its verdict, then what it was worth.

        `metric, estimate, conf_low, conf_high`; of the effect also `n` (customers compared), `verdict` and
        `reason`.
        """
        columns = ["estimate", "conf_low", "conf_high"]
        decision = self.decision.iloc[0]
        effect = {"metric": self.answer.get("metric"), **decision[columns], "n": self.answer.get("n")}
        effect |= {"verdict": decision["verdict"], "reason": decision["reason"]}
        worth = [] if self.money is None else self.money[["metric", *columns]].to_dict("records")
        return pd.DataFrame([effect, *worth]).fillna({"verdict": "", "reason": ""})

    def __repr__(self) -> str:
        """Show the summary as text."""
        return self.summary.to_string(**_SHOWN)

    def _repr_html_(self) -> str:
        """Show the summary as a notebook shows tables."""
        return self.summary.to_html(**_SHOWN)


def effect_unit(outcome: str) -> str:
    """Name the unit in which an effect on an outcome is shown.

    Examples
    --------
    >>> effect_unit("margin"), effect_unit("repeat")
    ('currency', 'pp')
    """
    return {"orders": "number", "repeat": "pp"}.get(outcome, "currency")


def evaluate_initiative(
    chosen: pd.Series,
    *,
    orders: Any,
    customers: pd.DataFrame,
    selected: pd.DataFrame,
    enrolments: pd.DataFrame | None,
    as_of: Any,
    period_start: object = None,
    terms: Terms | None = None,
) -> Evaluation:
    """Evaluate one initiative: customers, months, best rung, verdict, cash flow, return.

    Parameters
    ----------
    chosen : Series
        Result of `choose_initiative`.
    orders, customers, enrolments
        Contract tables; the orders of the period of interest; None where there is no table of enrolments.
    selected : DataFrame
        The customers of interest (`customer_id`), as `choose_customers` gives them for the day before the
        start. They bear the cost in proportion to the treated among them.
    as_of, period_start : date
        Last day of the data; first day of the period, if one was chosen.
    terms : Terms, optional
        The rule.

    Returns
    -------
    Evaluation
        Everything a report on it shows.

    Raises
    ------
    ParameterError
        A term lies outside its range.
    InputError
        A customer stands in the study twice.

    Examples
    --------
    >>> import cxlib as cx
    >>> tables = cx.make_company(n_customers=400, seed=1)
    >>> found = evaluate_initiative(
    ...     cx.choose_initiative(tables["initiatives"], "I1"), orders=tables["orders"],
    ...     customers=tables["customers"], selected=tables["customers"], enrolments=tables["enrolments"],
    ...     as_of="2026-01-31")
    >>> found.decision["verdict"].item(), found.state
    ('too_early', 'too_early')
    >>> found.summary[["metric", "verdict", "reason"]].iloc[0].to_list()
    ['margin', 'too_early', 'months']
    """
    terms = terms or Terms()
    if terms.horizon_months < 1:
        raise ParameterError("roi.horizon", found=f"{terms.horizon_months}")
    started_on, assignment = chosen["started_on"], chosen["assignment"]
    course = {"initiative": chosen["initiative_id"], "assignment": assignment}
    everyone = study_members(enrolments, customers, started_on=started_on, **course)
    members = everyone[among(everyone["customer_id"], selected["customer_id"])]
    panel = study_panel(
        orders, drop_small_arms(members, min_cell=terms.min_cell), started_on=started_on, as_of=as_of,
        contribution_margin_rate=terms.contribution_margin_rate,
    )  # fmt: skip
    study = {"assignment": assignment, "outcome_col": terms.outcome_col, "conf_level": terms.conf_level}
    horizon, observed = terms.horizon_months, observed_months(panel)
    ladder = evidence_ladder(panel, horizon_months=sorted({6, 12, horizon}), **study)
    answer = answer_rung(ladder, horizon_months=horizon)
    compared = {"panel": panel, "assignment": assignment}
    drift = drift_check(**compared, outcome_col=terms.outcome_col)
    older = drift if terms.outcome_col == "margin" else drift_check(**compared, outcome_col="margin")
    effects, covariance = monthly_effects(panel, assignment=assignment, horizon_months=min(observed, horizon))
    share, n_treated = _share(members, everyone)
    money_terms, state_terms = _cost_terms(chosen, terms, share, effects, n_treated)
    needed = _needed(state_terms, effects, horizon, n_treated, terms.cannibalised_share)
    dates = {"started_on": started_on.date(), "period_start": period_start, "first_day": _first_day(orders)}
    notes = study_notes(panel, members, min_cell=terms.min_cell, assignment=assignment,
                        outcome_col=terms.outcome_col, **dates)  # fmt: skip
    said = {note["key"].removeprefix("impact.note_") for note in notes}
    said |= {"to_come"} if started_on > pd.Timestamp(str(as_of)) else set()
    said |= {"none_left"} if nobody_left(panel) else set()
    is_cut = bool({"starts_before_data", "starts_before_period"} & said)
    groups = rollout_groups(panel)
    is_few = groups is not None and (groups.is_few or bool(np.isnan(answer["conf_low"])))
    is_few &= (
        panel[terms.outcome_col].max() > panel[terms.outcome_col].min()
    )  # else what is missing is an outcome, not groups
    has_drift, has_drift_money = (bool(table["is_alarm"].any()) for table in (drift, older))
    decision = verdict(
        estimate=answer["estimate"], conf_low=answer["conf_low"], conf_high=answer["conf_high"],
        months_observed=observed, horizon_months=horizon, has_control=bool(answer["is_answer"]),
        min_effect=terms.min_effect, has_drift=has_drift,
        break_even_effect=needed if terms.outcome_col == "margin" else None, starts_before_data=is_cut,
        has_few_groups=is_few, unit=effect_unit(terms.outcome_col), currency=terms.currency,
    )  # fmt: skip
    is_known = _is_known(effects, covariance) and not is_few
    state = money_state(
        **state_terms, has_effect=is_known, months_observed=observed, horizon_months=horizon,
        has_drift=has_drift_money, starts_before_data=is_cut,
    )  # fmt: skip
    money_terms |= {"covariance": covariance}
    notes += enrolment_notes(enrolments, members, customers, **course)
    notes += _own_notes(orders, terms, share, n_treated, drift=drift, older=older)
    money = roi_summary(effects, **money_terms) if is_known else None
    effect_verdict = decision["verdict"].item()
    if money is not None and state == "ready":
        figures = flatten(money)
        decision = judge_return(decision, roi_low=figures["roi_conf_low"], roi_high=figures["roi_conf_high"])
    return Evaluation(
        members=members, panel=panel, notes=notes, ladder=ladder, answer=answer, drift=drift,
        observed=observed, effects=effects, covariance=covariance, decision=_why_alone(decision, said),
        effect_verdict=effect_verdict, has_drift=has_drift, has_drift_money=has_drift_money, state=state,
        terms=money_terms, money=money, break_even_effect=needed, cost_share=share,
        has_few_groups=is_few, rule=terms, assignment=assignment,
    )  # fmt: skip


def _why_alone(decision: pd.DataFrame, notes: set[str]) -> pd.DataFrame:
    """Tell apart why nothing is compared, a reason that to wait does not mend even with no month observed."""
    if "to_come" in notes:
        return decision.assign(reason="not_begun")
    reason = decision["reason"].item()
    if reason == "months" and "none_left" in notes:
        return decision.assign(verdict="not_shown", reason="none_left")
    if reason not in ("no_control", "no_data"):
        return decision
    other = "no_control" if {"everyone", "no_control"} & notes else reason
    why = next((why for note, why in _ALONE.items() if note in notes), other)
    return decision if why == reason else decision.assign(verdict="not_shown", reason=why)


def _share(members: pd.DataFrame, everyone: pd.DataFrame) -> tuple[float, int]:
    """Part of the treated that is in the selection, and their number."""
    n_treated, n_all = (int((frame["arm"] == "treatment").sum()) for frame in (members, everyone))
    return (n_treated / n_all if n_all else 1.0), n_treated


def _cost_terms(
    chosen: pd.Series, terms: Terms, share: float, effects: pd.DataFrame, n_treated: int
) -> tuple[dict[str, Any], dict[str, float]]:
    """Arguments for money, unknown costs as zero; and the costs as they are known."""
    counted = float(effects["n_treated"].iloc[0]) / n_treated if len(effects) and n_treated else 1.0
    costs = {
        "one_time_cost": float(chosen["one_time_cost"]) * share * counted,
        "monthly_cost": float(chosen["monthly_cost"]) * share,
        "people_cost_monthly": terms.people_cost_monthly * share,
    }
    unknown = any(np.isnan(cost) for cost in costs.values())
    paid = {
        "cannibalised_share": terms.cannibalised_share, "conf_level": terms.conf_level,
        "discount_rate_annual": terms.discount_rate_annual,
    }  # fmt: skip
    return {name: 0.0 if unknown else cost for name, cost in costs.items()} | paid, costs


def _needed(
    costs: dict[str, float], effects: pd.DataFrame, horizon: int, n_treated: int, cannibalised_share: float
) -> float:
    """Effect that covers the cost: over the months there are once they are over, else as planned."""
    is_over = len(effects) == horizon
    sizes = effects["n_treated"] if is_over else [n_treated] * horizon
    months = effects["cost_months"] if is_over else 1.0
    return break_even_effect(
        **costs, n_treated=sizes, cost_months=months, cannibalised_share=cannibalised_share
    )


def _is_known(effects: pd.DataFrame, covariance: Array) -> bool:
    """Whether the effects together have an error above zero: a constant outcome has none."""
    if not len(effects) or effects["std_error"].isna().all():
        return False
    size = effects["n_treated"].to_numpy(float)
    return bool(size @ covariance @ size > 0)


def _first_day(orders: Any) -> object:
    return orders["ordered_at"].min().date() if len(orders) else None


def _own_notes(
    orders: Any, terms: Terms, share: float, n_treated: int, *, drift: pd.DataFrame, older: pd.DataFrame
) -> list[dict[str, Any]]:
    unknown = float(orders["margin"].isna().mean()) if len(orders) and "margin" in orders else 0.0
    is_other = terms.outcome_col != "margin" and bool(older["is_alarm"].any())
    rules: list[tuple[bool, str, str, dict[str, Any]]] = [
        (bool(drift["is_alarm"].any()), f"drift{_alone(drift)}", "warning", _p_values(drift)),
        (is_other, f"drift_money{_alone(older)}", "warning", _p_values(older)),
        (unknown > 0, "margin_rate", "info",
         {"missing": round(100 * unknown, 1), "rate": round(100 * terms.contribution_margin_rate, 1)}),
        (n_treated > 0 and share < 1, "cost_share", "info", {"share": round(100 * share, 1)}),
    ]  # fmt: skip
    return [
        {"key": f"impact.note_{name}", "level": level, **values}
        for holds, name, level, values in rules
        if holds
    ]


def _p_values(drift: pd.DataFrame) -> dict[str, float]:
    by_test = drift.dropna(subset="p_value").set_index("metric")["p_value"].astype(float)
    return {name: by_test[name] for name in ("placebo", "pretrend") if name in by_test}


def _alone(drift: pd.DataFrame) -> str:
    """End of a note's name where only one of the two tests could be made."""
    known = list(_p_values(drift))
    return f"_{known[0]}" if len(known) == 1 else ""
