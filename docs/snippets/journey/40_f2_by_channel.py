"""Do channels bring first buyers who come back?

Within 180 days of the first purchase, by the channel that brought the customer.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

who = data_set.table("customers")[["customer_id", "acquisition_channel"]]
orders = data_set.table("orders").merge(who, on="customer_id")
cx.repeat_curve(orders, as_of=data_set.as_of, by="acquisition_channel", horizons_days=[180])
