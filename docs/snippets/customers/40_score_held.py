"""Do recent and frequent buyers really buy again?

Scores as they were ninety days ago, and what these customers did since. Where the intervals overlap,
the score tells little.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

orders, start = data_set.table("orders"), cx.to_date("2026-07-02")
then = cx.rfm(cx.summarise_customers(orders, as_of=start))
since = cx.next_period(then, orders, start=start, days=90)
cx.plot_backtest(cx.backtest(since, by=["r_score"]))
