"""What is bought next?

From the category of one purchase to that of the next, with how much more often than chance.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

pairs = cx.purchase_pairs(data_set.table("orders"), dimension="category")
cx.next_purchases(pairs)
