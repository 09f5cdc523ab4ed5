"""What the journey chapter may say: one row per sentence, with its verdict, or a note why there is none.

Each function takes results and returns the row that `report.say` words; the limits the verdict rests on
stand in the row as they are shown.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.stats.verdicts import limits_verdict


def valley_cost(after: pd.DataFrame, *, stage: str, days: int, min_cell: int = 10) -> dict[str, Any]:
    """Tell what follows a valley: whether who felt negative there buy a second time less often.

    Parameters
    ----------
    after
        Result of `f2_after_stage`.
    stage, days
        The valley's stage, and the days within which a second purchase counts.
    min_cell
        Smallest number of customers each group must have.

    Returns
    -------
    dict
        `metric` ("difference"), `estimate, conf_low, conf_high` (negative − other, as a share), `n` (who felt
        negative), `negative_share, other_share, purchases` (second purchases apart), `stage, days`; `verdict`
        "fewer", "more" or "no_difference_shown"; `note` "unknown" where too few could be followed.

    Examples
    --------
    >>> after = pd.DataFrame({"metric": ["f2", "f2", "difference", "purchases"],
    ...     "group": ["negative", "other", "negative", "negative"], "estimate": [0.1, 0.3, -0.2, -20],
    ...     "conf_low": [0.0, 0.2, -0.3, -30], "conf_high": [0.2, 0.4, -0.1, -10], "n": [100, 90, 190, 100]})
    >>> valley_cost(after, stage="decide", days=180)["verdict"]
    'fewer'
    """
    found: Any = after.set_index(["metric", "group"])
    gap = found.loc[("difference", "negative")]
    is_known = after["n"].min() >= min_cell and pd.notna(gap["estimate"])
    limits = gap[["estimate", "conf_low", "conf_high"]].to_dict()
    return {
        "metric": "difference",
        **limits,
        "n": int(found.loc[("f2", "negative"), "n"]),
        "negative_share": found.loc[("f2", "negative"), "estimate"],
        "other_share": found.loc[("f2", "other"), "estimate"],
        "purchases": abs(found.loc[("purchases", "negative"), "estimate"]),
        "stage": stage,
        "days": days,
        "verdict": limits_verdict(gap["conf_low"], gap["conf_high"], unit="pp", below="fewer", above="more"),
        "note": "" if is_known else "unknown",
    }
