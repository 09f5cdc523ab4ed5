"""Money: cash flows of an initiative, its ROI with an interval, and the verdict by a rule stated before."""

from cxlib.roi._flows import MONEY_UNITS, cash_flows, flatten, roi_summary
from cxlib.roi._rates import irr, npv, xirr, xnpv
from cxlib.roi._register import rank_by_net, shrink_effects
from cxlib.roi._scenarios import pulled_forward, roi_scenarios, roi_tornado
from cxlib.roi._verdict import break_even_effect, judge_return, money_state, verdict

__all__ = [
    "MONEY_UNITS",
    "break_even_effect",
    "cash_flows",
    "flatten",
    "irr",
    "judge_return",
    "money_state",
    "npv",
    "pulled_forward",
    "rank_by_net",
    "roi_scenarios",
    "roi_summary",
    "roi_tornado",
    "shrink_effects",
    "verdict",
    "xirr",
    "xnpv",
]
