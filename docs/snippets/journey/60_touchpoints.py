"""Which touchpoint should be mended first?

Where many customers are disappointed, and where a disappointment costs most.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

events = data_set.table("events")
rated = cx.journey.gaps_by_touchpoint(events)
below = {"outcome_col": "valence", "driver_cols": list(rated.columns[2:]), "low": -1e-9, "high": 1e-9}
penalties = cx.penalty_reward(rated, **below, cluster_col="customer_id")
cx.plot_touchpoint_losses(cx.touchpoint_scores(events, penalties=penalties))
