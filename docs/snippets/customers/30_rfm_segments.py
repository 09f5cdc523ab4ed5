"""Which RFM segments do I have, and what does each carry?

`estimate` is the segment's share of sales. The names are rules: `data/rules/rfm_segments.yml`.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

scored = cx.rfm(cx.summarise_customers(data_set.table("orders"), as_of=data_set.as_of))
named = cx.assign_segments(scored, rules=cx.load_rules("rfm_segments"))
segments = cx.segment_table(named)
segments[["segment", "n", "customer_share", "estimate", "conf_low", "conf_high"]]
cx.plot_segments(segments)
