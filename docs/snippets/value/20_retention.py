"""How many customers of each cohort are still buying?

A line per cohort of first purchase.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cohorts = cx.value.retention_table(data_set.table("orders"), as_of=data_set.as_of)
cx.plot_retention(cohorts)
