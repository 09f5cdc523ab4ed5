"""How satisfied are customers, and how hard did we make it?

CSAT is the share in the top two boxes; CES is a mean on the scale and in the direction the data set
states.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

settings, answers = data_set.settings, data_set.table("responses")
cx.csat(answers, scale=settings.csat_scale)
cx.ces(answers, scale=settings.ces_scale, direction=settings.ces_direction)
