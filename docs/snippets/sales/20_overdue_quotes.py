"""Which quotes has nobody followed up?

A working list for people allowed to see ids.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

overdue = cx.overdue_quotes(data_set.table("deals"), as_of=data_set.as_of, within_days=7)
overdue
