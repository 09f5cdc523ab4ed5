"""What goes with the score?

Shares of what the items explain together, with intervals: importance, not effect.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

answers = data_set.table("responses").query("survey == 'relationship'")
items = [name for name in answers if name.startswith("driver_")]
drivers = cx.driver_importance(answers, outcome_col="nps_score", driver_cols=items, n_boot=200)
cx.plot_importance(drivers)
