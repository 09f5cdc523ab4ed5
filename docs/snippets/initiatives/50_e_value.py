"""How strong would a hidden cause have to be?

A ratio of 1.6 with a lower limit of 1.2: what something unseen would need to explain it away.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.e_value(1.6, conf_low=1.2, conf_high=2.1)
