"""Do quotes that are followed up in time win more often?

A gap, not yet an effect: sellers follow up what looks good.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.follow_up(data_set.table("deals"), as_of=data_set.as_of, within_days=7)
