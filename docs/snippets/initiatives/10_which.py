"""Which initiatives do we know of, and how was each assigned?

Assignment decides how much a comparison can prove.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

initiatives = data_set.table("initiatives")
initiatives[["initiative_id", "name", "started_on", "assignment", "one_time_cost", "monthly_cost"]]
