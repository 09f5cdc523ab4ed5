"""Rows have no order: every public function gives the same for its frames shuffled."""

import functools
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

AS_OF = "2026-09-30"
FEATURES = ["recency_days", "frequency"]
STAGES = [stage.id for stage in cx.load_rules("journey").stages]


@functools.cache
def company():
    """A small company, and what later functions take, made once."""
    t = cx.make_company(n_customers=300, seed=3)
    t["views"] = t["events"].copy()  # the order within one instant is a question of funnels alone
    for table, name in (("orders", "ordered_at"), ("events", "occurred_at"), ("responses", "answered_at")):
        t[table][name] = t[table][name].dt.floor("D")  # rows of one instant have no order either
    orders, people = t["orders"], t["customers"]
    t["summary"] = cx.assign_segments(
        cx.rfm(cx.summarise_customers(orders, as_of=AS_OF)), rules=cx.load_rules("rfm_segments")
    )
    t["next"] = cx.next_period(t["summary"], orders, start="2026-06-30")
    t["deciles"] = cx.deciles(t["summary"])
    t["wallet"] = cx.wallets(orders, as_of=AS_OF)
    t["ctb"] = cx.ctb(t["wallet"])
    t["pairs"] = cx.purchase_pairs(orders, dimension="category")
    t["states"] = cx.attitude_states(people, orders, as_of=cx.state_days(AS_OF, since="2026-01-01"))
    t["times"] = cx.repeat_times(orders, as_of=AS_OF).assign(
        cause=lambda rows: np.where(rows["is_repeat"], "again", None)
    )
    t["answers"] = cx.survey_answers(t["responses"], people, by="region")
    t["latest"] = cx.latest_attitudes(t["answers"], orders, as_of=AS_OF)
    t["followed"] = cx.follow_answers(t["answers"], orders, as_of=AS_OF, within_days=180)
    chosen = cx.choose_initiative(t["initiatives"])
    t["chosen"] = chosen
    study = {"initiative": chosen["initiative_id"], "started_on": chosen["started_on"]}
    t["members"] = cx.study_members(t["enrolments"], people, assignment=chosen["assignment"], **study)
    t["panel"] = cx.study_panel(orders, t["members"], started_on=chosen["started_on"], as_of=AS_OF)
    t["cells"] = t["panel"].assign(
        treated=lambda rows: rows["arm"] == "treatment", post=lambda rows: rows["month"] >= 0
    )
    rng = np.random.default_rng(5)
    cuts = np.repeat(pd.to_datetime(["2026-01-31", "2026-04-30", "2026-07-31"]), 300)
    t["cuts"] = pd.DataFrame({"cut_on": cuts, "recency_days": rng.integers(1, 300, 900)}).assign(
        frequency=rng.poisson(3, 900).astype(float),
        outcome=lambda rows: (rng.random(900) < rows["recency_days"] / 300).astype(float),
    )
    t["scored"] = cx.score_out_of_time(t["cuts"], feature_cols=FEATURES, next_days=80)
    sales = pd.DataFrame({"month": pd.date_range("2024-01-01", periods=24, freq="MS")})
    t["rolled"] = cx.roll_forecasts(sales.assign(amount=rng.normal(100, 5, 24)))
    t["foretold"] = cx.forecast_quality(t["rolled"])
    t["quality"] = cx.score_quality(t["scored"])
    halves = np.arange(len(people)) % 2
    t["attributes"] = people.assign(half=halves)
    return t


def wave(table, number):
    names = sorted(table["wave"].dropna().unique())
    return table[table["wave"] == names[number]]


#: Function -> (tables it takes, in the order of the call below; the call; whether rows follow the input's).
CALLS = {
    "adjusted_difference": (
        "next",
        lambda d: cx.adjusted_difference(
            d.assign(t=d["r_score"].fillna(0) > 3), outcome_col="next_amount", treated_col="t"
        ),
        False,
    ),
    "arm_months": ("panel", lambda d: cx.arm_months(d), False),
    "assign_segments": (
        "summary",
        lambda d: cx.assign_segments(d, rules=cx.load_rules("rfm_segments")),
        True,
    ),
    "attitude_moves": ("answers", lambda d: cx.attitude_moves(d), False),
    "attitude_ratio": ("followed", lambda d: cx.attitude_ratio(cx.behaviour_by_attitude(d)), False),
    "attitude_spend": ("latest", lambda d: cx.attitude_spend(d), False),
    "attitude_states": ("customers orders", lambda a, b: cx.attitude_states(a, b, as_of=AS_OF), False),
    "backtest": ("next", lambda d: cx.backtest(d), False),
    "backtest_gap": ("next", lambda d: cx.backtest_gap(d), False),
    "before_after": ("panel", lambda d: cx.before_after(d), False),
    "behaviour_by_attitude": ("followed", lambda d: cx.behaviour_by_attitude(d), False),
    "below_expectation": ("events", lambda d: cx.below_expectation(d), False),
    "calibration_curve": ("scored", lambda d: cx.calibration_curve(d), False),
    "ces": ("answers", lambda d: cx.ces(d, scale=(1, 7), direction="ease", by="region"), False),
    "choose_customers": ("customers orders", lambda a, b: cx.choose_customers(a, b, as_of=AS_OF), True),
    "choose_initiative": (
        "initiatives",
        lambda d: cx.choose_initiative(d, "I2").rename("row").to_frame().astype(str),
        False,
    ),
    "churn_effect": ("panel", lambda d: cx.churn_effect(d), False),
    "churned": ("orders", lambda d: cx.churned(d, as_of="2026-03-31"), False),
    "cluster_customers": ("summary", lambda d: cx.cluster_customers(d), True),
    "compare_respondents": (
        "summary",
        lambda d: cx.compare_respondents(d.assign(answered=d["customer_id"] > "C0000150")),
        False,
    ),
    "concentration": ("summary", lambda d: cx.concentration(d), False),
    "consistency": ("events", lambda d: cx.consistency(d), False),
    "contact_pressure": ("events", lambda d: cx.contact_pressure(d, responded_col="responded"), False),
    "count_lines": ("orders", lambda d: cx.count_lines(d).to_frame(), False),
    "count_orders": ("orders", lambda d: cx.count_orders(d, as_of=AS_OF).to_frame(), False),
    "csat": ("answers", lambda d: cx.csat(d, scale=(1, 5), by="region"), False),
    "ctb": ("wallet", lambda d: cx.ctb(d), False),
    "ctb_table": ("wallet", lambda d: cx.ctb_table(d), False),
    "cumulative_incidence": (
        "times",
        lambda d: cx.cumulative_incidence(d, duration_col="duration_days", cause_col="cause"),
        False,
    ),
    "curve_features": ("events", lambda d: cx.curve_features(d, stage_order=STAGES), False),
    "forecast_quality": ("rolled", lambda d: cx.forecast_quality(d), False),
    "forecast_told": ("foretold", lambda d: pd.DataFrame([cx.forecast_told(d, months=24)]), False),
    "odds_ratios": ("cuts", lambda d: cx.odds_ratios(d, feature_cols=FEATURES), False),
    "score_drift": ("scored", lambda d: cx.score_drift(d), False),
    "score_lift": ("scored", lambda d: cx.score_lift(d), False),
    "score_now": (
        "cuts scored",
        lambda a, b: cx.score_now(a, b, forecast="score", feature_cols=FEATURES),
        True,
    ),
    "score_out_of_time": (
        "cuts",
        lambda d: cx.score_out_of_time(d, feature_cols=FEATURES, next_days=80),
        True,
    ),
    "score_quality": ("scored", lambda d: cx.score_quality(d), False),
    "score_told": ("quality", lambda d: pd.DataFrame([cx.score_told(d)]), False),
    "split_identities": ("customers", lambda d: cx.split_identities(d), False),
    "depth_at": ("events", lambda d: cx.depth_at(d, stage="decide", stage_order=STAGES), False),
    "customer_weights": ("answers summary", lambda a, b: cx.customer_weights(a, b), True),
    "deal_facts": ("deals", lambda d: cx.deal_facts(d, as_of=AS_OF), True),
    "deal_spells": ("deals", lambda d: cx.deal_spells(d, as_of=AS_OF), True),
    "win_rates": ("deals", lambda d: cx.win_rates(d, as_of=AS_OF), False),
    "decile_table": ("deciles", lambda d: cx.decile_table(d), False),
    "deciles": ("summary", lambda d: cx.deciles(d), True),
    "did": (
        "cells",
        lambda d: cx.did(
            d,
            outcome_col="margin",
            unit_col="customer_id",
            time_col="month",
            treated_col="treated",
            post_col="post",
        ),
        False,
    ),
    "dominant_table": ("ctb", lambda d: cx.dominant_table(d), False),
    "drift_check": ("panel", lambda d: cx.drift_check(d, assignment="randomised"), False),
    "drop_small_arms": ("members", lambda d: cx.drop_small_arms(d, min_cell=5), True),
    "emotion_curve": ("events", lambda d: cx.emotion_curve(d, stage_order=STAGES), False),
    "everyone_else": ("answers", lambda d: cx.everyone_else(d, by="region"), True),
    "evidence_ladder": ("panel", lambda d: cx.evidence_ladder(d, assignment="randomised"), False),
    "exit_rates": ("views", lambda d: cx.exit_rates(d), False),
    "expectation_gap": ("events", lambda d: cx.expectation_gap(d), False),
    "f2_after_stage": (
        "events orders",
        lambda a, b: cx.f2_after_stage(a, b, stage="decide", as_of=AS_OF),
        False,
    ),
    "f2_burn_in": ("orders", lambda d: cx.f2_burn_in(d, as_of=AS_OF, horizons_days=[90]), False),
    "f2_effect": (
        "orders members",
        lambda a, b: cx.f2_effect(a, b, started_on=company()["chosen"]["started_on"], as_of=AS_OF),
        False,
    ),
    "find_valleys": ("events", lambda d: cx.find_valleys(d, stage_order=STAGES), False),
    "first_exits": ("times events", lambda a, b: cx.first_exits(a, b), True),
    "first_purchase_groups": ("customers orders", lambda a, b: cx.first_purchase_groups(a, b), True),
    "first_purchases_doubtful": (
        "times customers",
        lambda a, b: pd.DataFrame([cx.first_purchases_doubtful(a, customers=b)]),
        False,
    ),
    "follow_answers": (
        "answers orders",
        lambda a, b: cx.follow_answers(a, b, as_of=AS_OF, within_days=180),
        False,
    ),
    "follow_up": ("deals", lambda d: cx.follow_up(d, as_of=AS_OF), False),
    "funnel": ("views", lambda d: cx.funnel(d, steps=STAGES[:3], step_col="stage"), False),
    "gap_surface": ("events orders", lambda a, b: cx.gap_surface(a, b, as_of=AS_OF), False),
    "hesitation_answered": ("events", lambda d: cx.hesitation_answered(d, stage="decide"), False),
    "lapse_after_stage": (
        "events orders",
        lambda a, b: cx.lapse_after_stage(a, b, stage="decide", as_of=AS_OF),
        False,
    ),
    "last_waves": (
        "answers",
        lambda d: pd.concat([part for part in cx.last_waves(d) if isinstance(part, pd.DataFrame)]),
        True,
    ),
    "latest_attitudes": ("answers orders", lambda a, b: cx.latest_attitudes(a, b, as_of=AS_OF), False),
    "lifecycle_stages": (
        "customers orders deals",
        lambda a, b, c: cx.lifecycle_stages(a, b, as_of=AS_OF, deals=c),
        False,
    ),
    "logrank": (
        "times",
        lambda d: cx.logrank(
            d.assign(y=d["from_on"].dt.year), duration_col="duration_days", event_col="is_repeat", by="y"
        ),
        False,
    ),
    "lorenz": ("summary", lambda d: cx.lorenz(d), False),
    "migration": ("deciles deciles", lambda a, b: cx.migration(a, b), False),
    "mix_rate": ("answers", lambda d: cx.mix_rate(wave(d, -2), wave(d, -1), by="region"), False),
    "monthly_effects": (
        "panel",
        lambda d: cx.monthly_effects(d, assignment="randomised", horizon_months=3)[0],
        False,
    ),
    "monthly_gap": ("panel", lambda d: cx.monthly_gap(d), False),
    "next_period": ("summary orders", lambda a, b: cx.next_period(a, b, start="2026-06-30"), True),
    "next_purchase_hits": ("pairs", lambda d: cx.next_purchase_hits(d, start="2026-03-31"), False),
    "next_purchases": ("pairs", lambda d: cx.next_purchases(d), False),
    "nps": ("answers", lambda d: cx.nps(d, by="region"), False),
    "outcome_table": ("next", lambda d: cx.outcome_table(d, by="segment"), False),
    "overdue_quotes": (
        "deals",
        lambda d: cx.overdue_quotes(
            d.assign(followed_up_on=pd.NaT, closed_on=pd.NaT, is_won=None), as_of=AS_OF
        ),
        False,
    ),
    "paired_change": (
        "answers",
        lambda d: cx.paired_change(wave(d, -2), wave(d, -1), score_col="nps_score"),
        False,
    ),
    "parallel_trends": ("panel", lambda d: cx.parallel_trends(d), False),
    "placebo_effect": ("panel", lambda d: cx.placebo_effect(d), False),
    "point_value": ("followed", lambda d: cx.point_value(d), False),
    "power_of_study": ("panel", lambda d: pd.DataFrame(cx.power_of_study(d), index=[0]), False),
    "purchase_ladder": ("orders", lambda d: cx.purchase_ladder(d, as_of=AS_OF), False),
    "purchase_pairs": ("orders", lambda d: cx.purchase_pairs(d, dimension="category"), False),
    "referred_customers": ("customers orders", lambda a, b: cx.referred_customers(a, b, as_of=AS_OF), False),
    "regression_part": ("panel", lambda d: cx.regression_part(d), False),
    "repeat_curve": ("orders", lambda d: cx.repeat_curve(d, as_of=AS_OF, by="product"), False),
    "repeat_times": ("orders", lambda d: cx.repeat_times(d, as_of=AS_OF, by=["product", "channel"]), False),
    "response_bounds": ("answers customers", lambda a, b: cx.response_bounds(a, b), False),
    "rfm": ("summary", lambda d: cx.rfm(d), True),
    "rfm_cuts": ("summary", lambda d: cx.rfm_cuts(d), False),
    "rmst": (
        "times",
        lambda d: cx.rmst(d, duration_col="duration_days", event_col="is_repeat", horizon=180),
        False,
    ),
    "scheme_groups": ("orders", lambda d: cx.scheme_groups(d, as_of=AS_OF), True),
    "score_change": ("answers", lambda d: cx.score_change(wave(d, -2), wave(d, -1)), False),
    "score_distribution": ("answers", lambda d: cx.score_distribution(d), False),
    "score_effect": (
        "responses members",
        lambda a, b: cx.score_effect(a, b, started_on=company()["chosen"]["started_on"]),
        False,
    ),
    "segment_profile": (
        "attributes",
        lambda d: cx.segment_profile(d.assign(segment=d["half"].astype(str)), attributes=["region"]),
        False,
    ),
    "segment_table": ("summary", lambda d: cx.segment_table(d), False),
    "stage_ageing": ("deals", lambda d: cx.stage_ageing(d, as_of=AS_OF), False),
    "stage_steps": ("events", lambda d: cx.stage_steps(d, stage_order=STAGES), False),
    "stage_times": ("events", lambda d: cx.stage_times(d, stage_order=STAGES, as_of=AS_OF), False),
    "state_care": ("events states", lambda a, b: cx.state_care(a, b), False),
    "state_changes": ("events states", lambda a, b: cx.state_changes(a, b), False),
    "state_spells": ("states", lambda d: cx.state_spells(d), False),
    "state_table": ("states", lambda d: cx.state_table(d), False),
    "state_transitions": ("states", lambda d: cx.state_transitions(d), False),
    "states_by_rules": (
        "customers orders deals",
        lambda a, b, c: pd.concat(
            cx.states_by_rules(
                a,
                b,
                as_of=["2026-02-28", AS_OF],
                deals=c,
                rules={name: cx.load_rules(name) for name in ("lifecycle", "states")},
            )
        ),
        False,
    ),
    "study_members": (
        "enrolments customers",
        lambda a, b: cx.study_members(
            a,
            b,
            initiative=company()["chosen"]["initiative_id"],
            started_on=company()["chosen"]["started_on"],
            assignment=company()["chosen"]["assignment"],
        ),
        False,
    ),
    "study_panel": (
        "orders members",
        lambda a, b: cx.study_panel(a, b, started_on=company()["chosen"]["started_on"], as_of=AS_OF),
        False,
    ),
    "summarise_customers": ("orders", lambda d: cx.summarise_customers(d, as_of=AS_OF), False),
    "survey_answers": ("responses customers", lambda a, b: cx.survey_answers(a, b), True),
    "survival_curve": (
        "times",
        lambda d: cx.survival_curve(d, duration_col="duration_days", event_col="is_repeat"),
        False,
    ),
    "touchpoint_scores": ("events", lambda d: cx.touchpoint_scores(d), False),
    "treated_series": ("panel", lambda d: cx.treated_series(d), False),
    "unknown_stages": ("events", lambda d: cx.unknown_stages(d, stage_order=STAGES), False),
    "value_at_risk": ("latest", lambda d: cx.value_at_risk(d), False),
    "value_by_f2": ("orders", lambda d: cx.value_by_f2(d, as_of=AS_OF), False),
    "wallets": ("orders", lambda d: cx.wallets(d, as_of=AS_OF), False),
    "wave_chart": ("answers", lambda d: cx.wave_chart(d), False),
}
#: Why a function that takes a frame is not replayed.
LEFT_OUT = dict.fromkeys(
    ["suppress_small", "flatten", "rank_by_net", "roi_scenarios", "roi_summary", "roi_tornado", "cash_flows",
     "pulled_forward", "shrink_effects", "groups_told", "groups_apart", "enough_at_risk", "contact_cap",
     "name_valley", "share_ratio", "answer_rung", "interrupted_series", "placebo_starts",
     "segment_growth", "drift_bounds", "actions", "list_customers", "compare_schemes", "like_periods",
     "cluster_evidence", "next_months", "roll_forecasts"],
    "takes the ordered result of another function, or is replayed through it",
)  # fmt: skip
LEFT_OUT |= dict.fromkeys(
    ["a_year_apart", "arms_apart", "as_effects", "both_arms", "bounds_shown", "breakdown_told",
     "effects_by_group", "empty_scores", "first_place", "first_step", "grave_cautions", "group_gaps",
     "group_lead", "groups_note", "groups_shown", "hidden_cause", "judge_return", "leading", "left_out",
     "middle_by_group", "naive_parts", "nearest", "next_steps", "now_and_whole", "pairs_shown", "plan_told",
     "rank_register", "ranking_shown", "regression_told", "scenario_ends", "scheme_lead", "score_rule",
     "season",
     "scores_apart", "second_purchases", "settled_from", "settled_shares",
     "short_of_history", "split_known", "split_told", "standing_answers", "tornado_ends",
     "uncounted_orders", "usual_age", "valley_cost", "verdict_counts", "window_names"],
    "words or a verdict on a result that is replayed",
)  # fmt: skip
LEFT_OUT |= dict.fromkeys(
    ["actions_missing", "apart_told", "clusters_told", "concentration_told", "customers_by_action",
     "deciles_lacking", "enough_in_top", "first_action", "fixed_stays", "group_measures",
     "growth_by_segment", "growth_extremes", "growth_lacking", "growth_total", "hits_by_dimension",
     "lacking", "largest_by_dimension", "largest_steps", "lasting_states", "likeliest_changes",
     "likes_of_groups", "most_preferred", "moved_told", "moves_by_dimension", "moves_lacking",
     "next_hits_told", "one_way_moves", "preferences_known", "service_rule", "shown_cuts", "shown_deciles",
     "since_then", "states_since", "states_today", "strongest_attribute", "traced_told", "unusual_shares",
     "with_attributes", "with_last_score", "without_largest"],
    "rows of the segmentation chapter, on results that are replayed",
)  # fmt: skip
LEFT_OUT |= dict.fromkeys(
    ["att_gt", "twoway_weights", "effect_by_group", "enrolment_notes", "study_notes", "has_comparison",
     "observed_months", "evaluate_initiative", "read_answers", "survey_weight", "chosen_rows", "rake",
     "same_rollout"],
    "takes more than the small company gives, or works row by row",
)  # fmt: skip
LEFT_OUT |= dict.fromkeys(
    ["driver_importance", "group_importance", "each_large_group", "importance_performance", "ordinal_drivers",
     "penalty_reward", "scale_reliability", "stated_derived", "touchpoint_roles"],
    "resamples rows or fits for seconds; its own tests shuffle",
)  # fmt: skip
LEFT_OUT |= dict.fromkeys(
    ["claims_to_judge", "enough_quotes", "enough_touched", "exit_alone", "exit_table", "exits_before",
     "f2_level", "first_exit_shares", "follow_up_gap", "funnel_ties", "greatest_loss", "is_marked",
     "known_points", "lapse_ratio", "least_looked_after", "lowest_stage", "measured_questions",
     "message_flags", "message_pressure", "path_notes", "quotes_by_delay", "rating_gap", "rework_first",
     "steepest_fall", "valley_stage", "value_of_f2", "visit_funnel", "visits_on_path", "where_to_start",
     "won_share", "worst_exit"],
    "rows of the journey chapter, on results that are replayed",
)  # fmt: skip
LEFT_OUT |= dict.fromkeys(
    ["adoption", "best_proven", "broken_told", "chapters_ready", "conditions", "customers_held", "dictionary",
     "entries", "first_thing", "flips", "judge_readiness", "late_entries", "lowest_join", "one_more",
     "same_person", "unread_columns", "without_next_step", "without_owner"],
    "rows of the inventory and the scorecard, on counts and results of whole tables",
)  # fmt: skip


def frames_taken(name):
    function = getattr(cx, name)
    if not inspect.isfunction(function):
        return False
    parameters = inspect.signature(function).parameters.values()
    return any("DataFrame" in str(each.annotation) or each.name == "orders" for each in parameters)


def test_every_public_function_that_takes_a_frame_is_replayed_or_left_out_for_a_reason():
    """Charts are drawn in the order of their frame, which is theirs to show."""
    taking = {name for name in dir(cx) if frames_taken(name) and not name.startswith("plot_")}
    assert taking == set(CALLS) | set(LEFT_OUT)
    assert not set(CALLS) & set(LEFT_OUT)


def in_order(frame):
    """Rows by all their columns, for results whose rows follow those of a table given."""
    keys = frame.apply(lambda row: "|".join(map(str, row)), axis=1)
    return frame.loc[keys.sort_values(kind="stable").index].reset_index(drop=True)


@pytest.mark.parametrize("name", CALLS)
def test_the_order_of_rows_does_not_matter(name):
    tables, call, rows_follow = CALLS[name]
    given = [company()[table] for table in tables.split()]
    shuffled = [table.sample(frac=1, random_state=11).reset_index(drop=True) for table in given]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, found = call(*given), call(*shuffled)
    assert len(expected)
    if rows_follow:
        expected, found = in_order(expected), in_order(found)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-9, atol=1e-9)
