"""What does a new customer cost, by channel?

All cost lines of `spend`, per new customer of that month's channel.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

days = cx.value.purchase_days(data_set.table("orders"), as_of=data_set.as_of)
new = cx.value.new_customers(days, data_set.table("customers"), data_set.table("orders"))
cx.value.cac(data_set.table("spend"), new, as_of=data_set.as_of)
