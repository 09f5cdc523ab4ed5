"""Is a figure where it should be?

The target is met only if the interval lies beyond it.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

figure = cx.nps(data_set.table("responses"), cluster_col="customer_id").iloc[0]
cx.judge_target(figure, 20, unit="points")
