"""Where does the experience sag?

Points are means, the band holds for all stages together: compare stages by the band.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

events = data_set.table("events")
stages = [stage.id for stage in cx.load_rules("journey").stages]
curve = cx.emotion_curve(events, stage_order=stages)
cx.plot_emotion_curve(curve)
