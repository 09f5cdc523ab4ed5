"""Why did sales grow: more customers, more orders, or larger ones?

The change between two like periods a year apart, split into its parts; each part with its interval.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

orders = data_set.table("orders")
periods = cx.like_periods(orders, as_of=data_set.as_of, days=90, rules=cx.load_rules("rfm_segments"))
cx.scorecard.growth_tree(periods, currency=data_set.currency)
