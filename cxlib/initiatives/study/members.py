"""What a reader must know about a study before believing it, and results by group of customers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.convert import among
from cxlib.data.text_type import TEXT
from cxlib.initiatives.effect.ladder import answer_rung, evidence_ladder, has_comparison
from cxlib.initiatives.effect.two_periods import did
from cxlib.initiatives.study.rollout import COLUMNS, GROUP, rollout_groups, rollout_note
from cxlib.stats.differences import UNKNOWN
from cxlib.stats.intervals import Interval

FEW = 30  # customers in an arm below which intervals are shaky


def drop_small_arms(members: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Leave out an arm with fewer than `min_cell` customers, because its mean would tell about single ones.

    Without treated customers nobody is left; without controls only the treated.

    Examples
    --------
    >>> members = pd.DataFrame({"customer_id": list("abc"), "arm": ["treatment", "treatment", "control"]})
    >>> drop_small_arms(members, min_cell=2)["customer_id"].tolist()
    ['a', 'b']
    """
    sizes = members["arm"].value_counts()
    if sizes.get("treatment", 0) < min_cell:
        return members.iloc[:0]
    large = sizes.index[sizes >= min_cell]
    return members[members["arm"].isin(large)].reset_index(drop=True)


def study_notes(
    panel: pd.DataFrame,
    members: pd.DataFrame,
    *,
    assignment: str,
    outcome_col: str = "margin",
    min_cell: int = 10,
    first_day: object = None,
    started_on: object = None,
    period_start: object = None,
) -> list[dict[str, Any]]:
    """List what weakens a study, each as the arguments of `Report.notice`: `key`, `level`, values.

    Parameters
    ----------
    panel : DataFrame
        Result of `study_panel`, small arms left out.
    members : DataFrame
        Result of `study_members`, small arms still in it.
    assignment, outcome_col
        As in `evidence_ladder`.
    min_cell : int
        Smallest arm that may be shown.
    first_day, started_on : date, optional
        Day of the first order and start of the initiative, to tell data that begin too late from an
        initiative that began too recently.
    period_start : date, optional
        First day of the period chosen, if one was: it, and not the data, may leave no month before the start.

    Notes
    -----
    `rollout` names the attribute whose whole values were treated or not, with their number in each arm;
    `rollout_few` says that there are too few of them for a verdict.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": ["a"] * 2, "arm": "treatment", "month": [-1, 0],
    ...                       "start_month": 0.0, "margin": [1.0, 2.0]})
    >>> [note["key"] for note in study_notes(panel, panel.assign(exposed=False).iloc[:1],
    ...                                      assignment="everyone", min_cell=1)]
    ['impact.note_everyone', 'impact.note_few']
    """
    sizes = members["arm"].value_counts()
    treated, controls = int(sizes.get("treatment", 0)), int(sizes.get("control", 0))
    exposed = int(members["exposed"].sum())
    after = panel["month"] >= 0
    known = [size for size in (treated, controls) if size]
    compared = has_comparison(panel)
    found = "found" in members and bool(members["found"].any())
    small = [size for size in known if size < min_cell]
    unseen = not small and bool(known) and not after.any()
    alone = bool(after.any()) and bool(after.all())
    begin = pd.Timestamp(started_on) if started_on is not None else pd.NaT  # type: ignore[arg-type]
    late = first_day is not None and pd.Timestamp(first_day) > begin  # type: ignore[arg-type]
    is_cut = late and period_start is not None and pd.Timestamp(str(period_start)) > begin
    rules: list[tuple[bool, str, str, dict[str, Any]]] = [
        (not known, "no_members", "not_enough_data", {}),
        (bool(small), "small_arm", "not_enough_data", {"min_cell": min_cell}),
        (unseen and is_cut, "starts_before_period", "not_enough_data", {"period_start": str(period_start)}),
        (unseen and late and not is_cut, "starts_before_data", "not_enough_data", {}),
        (unseen and not late, "not_started", "not_enough_data", {}),
        (alone and period_start is None, "no_months_before", "warning", {}),
        (alone and period_start is not None, "no_months_in_period", "warning",
         {"period_start": str(period_start)}),
        (assignment == "everyone", "everyone", "warning", {}),
        (assignment != "everyone" and len(panel) > 0 and not compared, "no_control", "warning", {}),
        (assignment == "targeted" and compared and not found, "targeted", "warning", {}),
        (found, "found", "warning", {"count": controls}),
        (compared and bool(panel["start_month"].notna().all()), "not_yet", "warning", {}),
        (exposed > 0, "exposed", "warning", {"count": exposed}),
        (not small and 0 < min(known, default=0) < FEW, "few", "warning", {"few": FEW}),
        (len(panel) > 0 and panel[outcome_col].nunique() < 2, "constant", "not_enough_data", {}),
    ]  # fmt: skip
    notes = [
        {"key": f"impact.note_{name}", "level": level, **values}
        for holds, name, level, values in rules
        if holds
    ]
    return notes + (rollout_note(rollout_groups(panel)) if compared and assignment != "everyone" else [])


def enrolment_notes(
    enrolments: pd.DataFrame | None,
    members: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    initiative: str,
    assignment: str,
    place_col: str = "region",
) -> list[dict[str, Any]]:
    """List what the enrolments say against a clean comparison, each as the arguments of `Report.notice`.

    Parameters
    ----------
    enrolments, customers : DataFrame
        Contract tables; without enrolments there is nothing to say.
    members : DataFrame
        Result of `study_members`.
    initiative, assignment : str
        As in the table `initiatives`.
    place_col : str
        Column of `customers` in which neighbours share a value; where it is missing, spill-over is not looked
        for.

    Notes
    -----
    `contaminated`: the arms differ in their part treated by other initiatives, by more than five points and
    more than chance. `opt_in`: customers of waves or of a targeted group joined on many different days, so
    they may have chosen themselves. `not_taken`: some were assigned and never enrolled. `spill`: at least
    half of the controls share a place with treated customers. `one_place`: each wave is one place that no
    control shares, so that a shock to the place cannot be told from the effect; where the members say so
    themselves (`rollout_group`), `study_notes` does.

    Examples
    --------
    >>> joined = pd.DataFrame({"initiative_id": "I1", "customer_id": ["a", "b"],
    ...                        "enrolled_on": pd.to_datetime(["2025-01-01", None])})
    >>> members = pd.DataFrame({"customer_id": ["a", "b"], "arm": ["treatment", "control"]})
    >>> people = members.assign(region="north")
    >>> [note["key"] for note in enrolment_notes(joined, members, people, initiative="I1",
    ...                                          assignment="randomised")]
    ['impact.note_spill']
    """
    if enrolments is None or members["arm"].nunique() < 2:
        return []
    treated = members["arm"] == "treatment"
    own = enrolments["initiative_id"].astype(TEXT) == str(initiative)
    taken = enrolments["enrolled_on"].notna()
    other = among(members["customer_id"], enrolments.loc[~own & taken, "customer_id"])
    shares = {"treatment": float(other[treated].mean()), "control": float(other[~treated].mean())}
    spread = sum(
        p * (1 - p) / n for p, n in zip(shares.values(), (treated.sum(), (~treated).sum()), strict=True)
    )
    gap = abs(shares["treatment"] - shares["control"])
    mine = enrolments[own & among(enrolments["customer_id"], members.loc[treated, "customer_id"])]
    days, joined = mine["enrolled_on"].nunique(), int(mine["enrolled_on"].notna().sum())
    absent = 1 - joined / int(treated.sum()) if own.any() else 0.0
    near, alone = 0.0, False
    if place_col in customers:
        place = members["customer_id"].map(customers.set_index("customer_id")[place_col])
        near = float(among(place[~treated], place[treated].dropna()).mean())
        is_told = GROUP in members or assignment != "staggered" or near > 0
        alone = not is_told and _one_place_each(members[treated], place[treated])
    percent = {name: round(100 * share) for name, share in shares.items()}
    rules: list[tuple[bool, str, str, dict[str, Any]]] = [
        (gap > max(0.05, 2 * spread**0.5), "contaminated", "warning", percent),
        (assignment in ("staggered", "targeted") and days > max(12, joined / 20), "opt_in", "warning",
         {"count": days}),
        (joined > 0 and absent > 0, "not_taken", "info", {"share": round(100 * absent, 1)}),
        (near >= 0.5, "spill", "info", {}),
        (alone, "one_place", "warning", {}),
    ]  # fmt: skip
    return [
        {"key": f"impact.note_{name}", "level": level, **values}
        for holds, name, level, values in rules
        if holds
    ]


def _one_place_each(members: pd.DataFrame, place: pd.Series) -> bool:
    if "start_month" not in members:
        return False
    pairs = pd.DataFrame({"wave": members["start_month"], "place": place}).dropna().drop_duplicates()
    return not pairs.empty and not pairs["wave"].duplicated().any()


def placebo_effect(
    panel: pd.DataFrame, *, outcome_col: str = "margin", conf_level: float = 0.95
) -> pd.DataFrame:
    """Pretend the initiative began halfway through the months before it, and look for an effect there.

    Parameters
    ----------
    panel, outcome_col, conf_level
        As in `evidence_ladder`. Only months before the start of the initiative are used.

    Returns
    -------
    DataFrame
        The row of `did` (`metric` placebo) and `months` (those after the pretended start); empty with fewer
        than two months before the start, without a comparison group, or where the data end so long before
        the start that the pretended one has nothing after it.

    Notes
    -----
    There can be no effect yet, so an interval that leaves out zero says that the groups drift apart by
    themselves. One that holds zero does not prove the opposite.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": list("aabb"), "arm": ["treatment"] * 2 + ["control"] * 2,
    ...                       "month": [-2, -1] * 2, "start_month": [0.0, 0.0, None, None],
    ...                       "margin": [1.0, 4.0, 1.0, 2.0]})
    >>> placebo_effect(panel)["estimate"].tolist()
    [2.0]
    """
    names = ["customer_id", "month", "start_month", outcome_col, *(n for n in COLUMNS if n in panel)]
    before = panel.loc[panel["month"] < 0, names]
    count = before["month"].nunique()
    later = count // 2
    treated, pretended = before["start_month"].notna(), before["month"] >= -later
    cells = pd.DataFrame({"treated": treated, "post": pretended}).drop_duplicates()
    if later < 1 or len(cells) < 4:
        return pd.DataFrame(columns=["metric", *Interval._fields, "n", "months"])
    split = before.assign(treated=treated, post=pretended)
    row = did(
        split, outcome_col=outcome_col, unit_col="customer_id", time_col="month", treated_col="treated",
        post_col="post", conf_level=conf_level,
    )  # fmt: skip
    return row.assign(metric="placebo", months=later)


def effect_by_group(
    panel: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    by: str,
    assignment: str,
    outcome_col: str = "margin",
    horizon_months: int = 12,
    conf_level: float = 0.95,
    min_cell: int = 1,
) -> pd.DataFrame:
    """Give the effect on the best rung for each group of customers, as known before the start.

    Parameters
    ----------
    panel, assignment, outcome_col, conf_level
        As in `evidence_ladder`.
    customers : DataFrame
        `customer_id` and the column `by`; a missing value is a group of its own, "not_recorded".
    by : str
        Attribute of the customers.
    horizon_months : int
        Months since the start.
    min_cell : int
        Groups with fewer customers in an arm, which no report may show, are counted but not judged.

    Returns
    -------
    DataFrame
        One row per group: `by`, `metric, estimate, std_error, conf_low, conf_high, n` (the smaller arm),
        `n_treatment, n_control`. Missing where an arm has too few customers or none; the error where whole
        values of an attribute were treated and too few of them are in the group (`study_members`). Groups
        compared with each other are many looks at the same data: one interval in twenty misses by itself.
    """
    check_columns(customers, by=by)
    group = panel["customer_id"].map(customers.set_index("customer_id")[by]).astype(object)
    group = group.where(group.notna(), UNKNOWN)
    rows: list[dict[str, Any]] = []
    for name in sorted(group.unique(), key=lambda name: (name == UNKNOWN, str(name))):
        part = panel[(group == name).to_numpy()]
        sizes = part.drop_duplicates("customer_id")["arm"].value_counts()
        counts = {"n_treatment": int(sizes.get("treatment", 0)), "n_control": int(sizes.get("control", 0))}
        numbers = dict.fromkeys(Interval._fields, float("nan"))
        if min(counts.values()) >= min_cell:
            ladder = evidence_ladder(
                part, assignment=assignment, outcome_col=outcome_col, horizon_months=[horizon_months],
                conf_level=conf_level,
            )  # fmt: skip
            row = answer_rung(ladder, horizon_months=horizon_months)
            groups = rollout_groups(part)
            told = Interval._fields[:1] if groups is not None and groups.is_few else Interval._fields
            numbers |= {c: row[c] for c in told if row["is_answer"]}
        rows.append({by: name, "metric": outcome_col, **numbers, "n": min(counts.values()), **counts})
    return pd.DataFrame(rows, columns=[by, "metric", *Interval._fields, "n", "n_treatment", "n_control"])
