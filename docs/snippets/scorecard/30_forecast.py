"""What will sales be in the coming months?

Next to what plain rules of thumb would say; a method is used only where it beat them.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

outlook = cx.value.sales_outlook(data_set.table("orders"), as_of=data_set.as_of)
cx.plot_sales_ahead(outlook.drawn, currency=data_set.currency)
