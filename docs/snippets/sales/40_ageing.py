"""Which deals have been open for too long?

By stage: how many are older than nine of ten that were won.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.stage_ageing(data_set.table("deals"), as_of=data_set.as_of)
