"""How well are the columns filled?

A row per column: how much of it is filled and which report reads it.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

profile = cx.column_profile(data_set, min_cell=10)
profile
