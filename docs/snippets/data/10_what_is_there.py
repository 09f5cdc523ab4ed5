"""What is in the data, and what can it carry?

A row per section of every report: whether the tables and columns it needs are there.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

sections = cx.sections(data_set)
sections[["chapter", "section", "status", "lacks"]]
