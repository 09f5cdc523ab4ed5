"""The purchase experience in three questions: not marked down, hesitation answered, conviction gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_times
from cxlib.checks.occurring import check_occurs
from cxlib.data.rules.rule_files import Targets, load_rules
from cxlib.data.scales import neutral_score
from cxlib.language import LANGUAGES, text
from cxlib.stats.intervals import share_interval
from cxlib.stats.number_columns import check_numbers
from cxlib.stats.targets import judge_target

#: Question → (its metric in targets.yml, days within which it has to happen). The limit is the target.
QUESTIONS: Mapping[str, tuple[str, int | None]] = {
    "not_marked_down": ("below_expectation_share", None),
    "hesitation_answered": ("hesitation_answered_30", 30),
    "leads_to_conviction": ("f2_180", 180),
}
VERDICTS = {"target_met": "pass", "target_missed": "fail"}


def question_words() -> dict[str, dict[str, str]]:
    """Words of each question in every language, with the days its limit holds for.

    Examples
    --------
    >>> question_words()["leads_to_conviction"]["en"]
    'Leads to conviction? (second purchase within 180 days)'
    """
    return {
        name: {lang: text(f"journey.check_{name}", lang, days=days) for lang in LANGUAGES}
        for name, (_, days) in QUESTIONS.items()
    }


def hesitation_answered(
    events: pd.DataFrame,
    *,
    stage: str,
    within_days: int = 30,
    score_col: str = "valence",
    neutral: float | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Shares (0–1) of customers who felt negative at a stage and then had a contact, a rating, a better one.

    Parameters
    ----------
    events
        Contacts with `customer_id, stage, occurred_at` and a score.
    stage
        The stage of hesitation.
    within_days
        Days after a customer's first negative answer there in which a contact counts. Customers observed for
        less are left out: the last contact of the data is the last day known.
    score_col
        Score; missing where the customer was not asked.
    neutral
        Score below which an answer is negative; by default the middle of the declared scale, else 0.
    conf_level
        Confidence level of the intervals (Wilson).

    Returns
    -------
    DataFrame
        `metric, estimate, std_error, conf_low, conf_high, n` (customers): "contacted" and "rated" (had any
        later contact, and one with a score; of all who hesitated), "better" (had one scored `neutral` or
        more; of those rated), and "answered" (of all who hesitated), whose interval runs from nobody to all
        those contacted without a rating being answered; its estimate is missing where there are any.

    Raises
    ------
    ParameterError
        Unknown column, scores that are no numbers, or a misspelt stage: another one is called nearly so.

    Notes
    -----
    Whoever had no contact at all was not answered; whoever had one without a rating may have been. Counting
    the unrated as unanswered would measure how often one asks. The "answered" interval therefore joins
    Wilson's lower limit of the worst case with his upper limit of the best one (Manski's bounds).

    References
    ----------
    Manski (2003) Partial Identification of Probability Distributions, ch. 1.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aabc"), "stage": ["decide", "repeat", "decide", "buy"],
    ...     "valence": [-1, 1, -2, 0], "occurred_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-05", "2026-01-01", "2026-03-01"])})
    >>> hesitation_answered(events, stage="decide")[["metric", "estimate", "n"]].to_numpy().tolist()
    [['contacted', 0.5, 2], ['rated', 0.5, 2], ['better', 1.0, 1], ['answered', 0.5, 2]]
    """
    check_columns(
        events, score_col=score_col, customer_id="customer_id", stage="stage", occurred_at="occurred_at"
    )
    check_times(events, "occurred_at")
    check_occurs(events, stage, argument="stage", column="stage", slips_only=True)
    rows = events[["customer_id", "stage", "occurred_at"]].assign(score=check_numbers(events, score_col))
    rows = rows.dropna(subset=["customer_id", "occurred_at"])
    middle = neutral_score(events, score_col, neutral)
    doubt = rows[(rows["stage"] == stage) & (rows["score"] < middle)]
    first = doubt.groupby("customer_id")["occurred_at"].min()
    first = first[events["occurred_at"].max() - first >= pd.Timedelta(days=within_days)]
    after = rows.assign(since=first.reindex(rows["customer_id"]).array)
    wait = after["occurred_at"] - after["since"]
    after = after[(wait > pd.Timedelta(0)) & (wait <= pd.Timedelta(days=within_days))]
    best = after.groupby("customer_id")["score"].max()
    n, contacted, rated, better = len(first), len(best), int(best.notna().sum()), int((best >= middle).sum())
    found = [("contacted", contacted, n), ("rated", rated, n), ("better", better, rated)]
    shares = [
        {"metric": name, **share_interval(hits, of, conf_level=conf_level)._asdict(), "n": of}
        for name, hits, of in found
    ]
    worst, most = (
        share_interval(hits, n, conf_level=conf_level) for hits in (better, better + contacted - rated)
    )
    known = {"estimate": worst.estimate, "std_error": worst.std_error}
    known = known if rated == contacted else dict.fromkeys(known, np.nan)
    ends = {"conf_low": worst.conf_low, "conf_high": most.conf_high}
    return pd.DataFrame([*shares, {"metric": "answered", **known, **ends, "n": n}])


def measured_questions(**rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Last row of each frame that has one, by the question it answers.

    Examples
    --------
    >>> list(measured_questions(not_marked_down=pd.DataFrame({"n": [1]}), leads_to_conviction=pd.DataFrame()))
    ['not_marked_down']
    """
    return {question: frame.iloc[-1] for question, frame in rows.items() if len(frame)}


def purchase_checklist(
    measured: Mapping[str, pd.Series | Mapping[str, float]],
    *,
    targets: Targets | None = None,
    min_cell: int = 10,
) -> pd.DataFrame:
    """Answer each question of the purchase-experience checklist by a metric and a limit.

    Parameters
    ----------
    measured
        Question → row with `estimate, conf_low, conf_high, n`. The questions (`QUESTIONS`): "not_marked_down"
        (share of rated contacts below expectation), "hesitation_answered" (see `hesitation_answered`),
        "leads_to_conviction" (F2 within 180 days, whatever the days of the report: a limit for one horizon
        says nothing about another). A question without a row is unknown.
    targets
        Targets of the company, stated before looking; by default the handbook's `targets.yml`. A question
        whose metric has no target is unknown.
    min_cell
        Fewer customers than this answer nothing.

    Returns
    -------
    DataFrame
        In the order of `QUESTIONS`: `question, metric` ("checklist"), `estimate, conf_low, conf_high, n,
        limit_share` (the target), `side` ("at_most", "at_least"), `verdict`: "pass" if the whole interval
        lies at the limit or on its good side, "fail" if on the other (`judge_target`), otherwise "unknown".

    Raises
    ------
    ParameterError
        A question that is not among them.

    Examples
    --------
    >>> row = {"estimate": 0.1, "conf_low": 0.05, "conf_high": 0.2, "n": 200}
    >>> purchase_checklist({"not_marked_down": row})["verdict"].to_list()
    ['pass', 'unknown', 'unknown']
    """
    for question in measured:
        if question not in QUESTIONS:
            raise ParameterError("journey.question", value=question, known=", ".join(QUESTIONS))
    held = {target.metric: target for target in (targets or load_rules("targets")).targets}
    rows = []
    for question, (metric, _) in QUESTIONS.items():
        row = {"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n": 0}
        row |= {name: measured[question][name] for name in row} if question in measured else {}
        limit = held[metric].target if metric in held else np.nan
        side = "at_most" if metric in held and held[metric].better == "lower" else "at_least"
        ends = {} if row["n"] >= min_cell else {"conf_low": np.nan, "conf_high": np.nan}
        better = "lower" if side == "at_most" else "higher"
        judged = judge_target(row | ends, limit, unit="share", better=better)
        rows.append({"question": question, "metric": "checklist", **row, "limit_share": limit, "side": side})
        rows[-1]["verdict"] = VERDICTS.get(judged["verdict"], "unknown")
    return pd.DataFrame(rows)
