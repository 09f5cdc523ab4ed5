"""How many customers stand twice in the data?

`estimate` is the share of customers who have a further id, with its interval.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.split_identities(data_set.table("customers"))
