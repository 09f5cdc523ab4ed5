"""What follows a bad stage?

Second purchases of those who felt bad at the stage against those who did not; a difference, not yet a
cause.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

events, orders = data_set.table("events"), data_set.table("orders")
after = cx.f2_after_stage(events, orders, stage="decide", horizon_days=180, as_of=data_set.as_of)
after
