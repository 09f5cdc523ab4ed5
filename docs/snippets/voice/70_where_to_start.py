"""Which driver is important and not yet good?

Right and low: important, and rated low.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

answers = data_set.table("responses").query("survey == 'relationship'")
items = [name for name in answers if name.startswith("driver_")]
asked = {"outcome_col": "nps_score", "driver_cols": items, "scale": (1, 5), "n_boot": 200}
cx.plot_importance_performance(cx.importance_performance(answers, **asked))
