"""Is the lowest stage a valley, or noise?

A valley lies below the stages on both sides by more than noise, the search through all stages paid for.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

stages = [stage.id for stage in cx.load_rules("journey").stages]
cx.find_valleys(data_set.table("events"), stage_order=stages)
