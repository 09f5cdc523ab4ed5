"""What do the best ten percent of customers carry?

A row per tenth of the customers, the best first, with its share of sales and the interval of that
share.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

customers = cx.summarise_customers(data_set.table("orders"), as_of=data_set.as_of)
table = cx.decile_table(customers)
table[["decile", "n", "estimate", "conf_low", "conf_high", "mean_amount"]]
cx.plot_deciles(table)
