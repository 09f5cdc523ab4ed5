"""When do first buyers come back?

F2 as a clock: the probability of a second purchase within so many days, for those who have had less
time too.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

orders = data_set.table("orders")
curve = cx.repeat_curve(orders, as_of=data_set.as_of, horizons_days=range(1, 366))
cx.plot_repeat_curve(curve)
