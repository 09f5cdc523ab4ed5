"""What is a new customer worth?

Within twelve months of the first purchase, discounted once, by each method the data allow.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

values = cx.value.ltv(data_set.table("orders"), as_of=data_set.as_of, horizon_months=12)
values[["method", "estimate", "conf_low", "conf_high", "n"]]
