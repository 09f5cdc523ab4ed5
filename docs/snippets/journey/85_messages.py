"""Do we send too many messages?

What customers do after so many messages; a group of few contacts is not the same kind of customer as
one of many.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.message_pressure(data_set.table("events"))
