"""How many answers do I need?

For a margin of five points, and to notice a change of ten points.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.sample_size(margin=5)
cx.sample_size(change=10)
