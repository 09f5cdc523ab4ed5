"""Where do visitors leave the web site?

Each page's share of visits that get there, in the order of the steps.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

views = data_set.table("events").dropna(subset="page")
steps = cx.visit_funnel(
    views, ["product", "cart", "checkout", "complete"], unit_col="customer_id", conf_level=0.95, min_cell=10
)
cx.plot_funnel(steps)
