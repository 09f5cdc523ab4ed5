"""What would the initiative have to bring to break even?

Per customer treated and month; below it no result can pay.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.break_even_effect(one_time_cost=600_000, monthly_cost=80_000, n_treated=700, cost_months=12)
