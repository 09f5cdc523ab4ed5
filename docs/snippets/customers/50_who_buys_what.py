"""What does each customer prefer?

The favourite of each customer with enough purchases, counted: category, taste and brand.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

wallet = cx.wallets(data_set.table("orders"), as_of=data_set.as_of)
cx.dominant_table(cx.ctb(wallet))
