"""What share of deals do we win?

Of deals old enough to be judged; open ones are not counted as lost.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.win_rates(data_set.table("deals"), as_of=data_set.as_of)
