"""Helper package of the CX Handbook: `import cxlib as cx`.

Names are looked up on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Public name -> module of `cxlib` that holds it.
_EXPORTS: dict[str, str] = {
    # display
    "Report": "display",
    "suppress_small": "disclosure",
    "value": "display",
    # impact
    "adjusted_difference": "impact",
    "answer_rung": "impact",
    "arm_months": "impact",
    "att_gt": "impact",
    "before_after": "impact",
    "choose_initiative": "impact",
    "detectable_effect": "impact",
    "did": "impact",
    "drop_small_arms": "impact",
    "effect_by_group": "impact",
    "evidence_ladder": "impact",
    "f2_effect": "impact",
    "has_comparison": "impact",
    "monthly_effects": "impact",
    "monthly_gap": "impact",
    "months_observed": "impact",
    "observed_months": "impact",
    "parallel_trends": "impact",
    "regression_to_mean": "impact",
    "study_members": "impact",
    "study_notes": "impact",
    "study_panel": "impact",
    # samples
    "Truth": "samples",
    "make_company": "samples",
    "make_company_with_truth": "samples",
    "write_sample": "samples",
    # segmentation
    "backtest": "holdout",
    "backtest_gap": "holdout",
    "next_period": "holdout",
    "outcome_table": "holdout",
    "count_lines": "engine",
    "to_date": "engine",
    "concentration": "inequality",
    "lorenz": "inequality",
    "decile_table": "groups",
    "deciles": "groups",
    "segment_table": "groups",
    "assign_segments": "segments",
    "choose_customers": "segments",
    "rfm": "segments",
    "rfm_cuts": "segments",
    "segment_names": "segments",
    "summarise_customers": "segments",
    # journey
    "curve_features": "journey",
    "emotion_curve": "journey",
    "find_valleys": "journey",
    "name_valley": "journey",
    "stage_steps": "journey",
    "chosen_rows": "selection",
    "f2_after_stage": "repeat",
    "first_purchases_doubtful": "repeat",
    "purchase_ladder": "repeat",
    "repeat_curve": "repeat",
    "repeat_times": "repeat",
    "logrank": "survival",
    "rmst": "survival",
    "survival_curve": "survival",
    "plot_emotion_curve": "plots.journey",
    "plot_repeat_curve": "plots.journey",
    # tables
    "load_rules": "rules",
    "open_data": "tables",
    # surveys and their drivers
    "read_answers": "answers",
    "survey_answers": "answers",
    "penalty_reward": "asymmetry",
    "everyone_else": "change",
    "last_waves": "change",
    "mix_rate": "change",
    "sample_size": "change",
    "score_change": "change",
    "wave_chart": "change",
    "driver_importance": "drivers",
    "driver_labels": "drivers",
    "effective_n": "intervals",
    "false_discovery": "intervals",
    "mean_interval": "intervals",
    "nps_interval": "intervals",
    "share_difference_interval": "intervals",
    "share_interval": "intervals",
    "compare_respondents": "nonresponse",
    "rake": "nonresponse",
    "response_bounds": "nonresponse",
    "ces": "scores",
    "csat": "scores",
    "nps": "scores",
    "score_distribution": "scores",
    "plot_importance": "plots.drivers",
    "plot_penalty_reward": "plots.drivers",
    "plot_nps": "plots.scores",
    "plot_score_distribution": "plots.scores",
    "plot_waves": "plots.scores",
    # roi
    "MONEY_UNITS": "roi",
    "cash_flows": "roi",
    "break_even_effect": "roi",
    "flatten": "roi",
    "irr": "roi",
    "money_state": "roi",
    "npv": "roi",
    "roi_summary": "roi",
    "verdict": "roi",
    "xirr": "roi",
    "xnpv": "roi",
    # language
    "format_value": "language",
    "text": "language",
    # plots
    "plot_arm_months": "plots.impact",
    "plot_cumulative_cash": "plots.impact",
    "plot_ladder": "plots.impact",
    "plot_monthly_gap": "plots.impact",
    "plot_backtest": "plots.segments",
    "plot_deciles": "plots.segments",
    "plot_lorenz": "plots.segments",
    "plot_rf_map": "plots.segments",
    "plot_segments": "plots.segments",
    "ROLES": "plots.theme",
    "new_axes": "plots.theme",
    "set_theme": "plots.theme",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'cxlib' has no attribute {name!r}")
    return getattr(import_module(f"cxlib.{_EXPORTS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
