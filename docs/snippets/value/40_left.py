"""After how many days without an order is a customer lost?

The silence that nine of ten gaps between purchases stay below.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

days = cx.value.purchase_days(data_set.table("orders"), as_of=data_set.as_of)
cx.value.inactivity_threshold(days, as_of=data_set.as_of, quantile=0.9)
