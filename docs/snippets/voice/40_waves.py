"""Which waves were unusual?

Limits hold the waves of an unchanged score.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

answers = data_set.table("responses").query("survey == 'relationship'")
cx.plot_waves(cx.wave_chart(answers, cluster_col="customer_id"))
