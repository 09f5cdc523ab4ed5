"""How concentrated are sales?

The curve shows which share of sales the best customers bring; the straight line would be all alike.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

customers = cx.summarise_customers(data_set.table("orders"), as_of=data_set.as_of)
cx.concentration(customers, top=[0.1, 0.2])
cx.plot_lorenz(cx.lorenz(customers))
