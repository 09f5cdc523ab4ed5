"""Where do we fall short of what customers expect?

The share of contacts below expectation, by touchpoint.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.expectation_gap(data_set.table("events"), by="touchpoint")
