"""Has NPS moved since the last wave?

`verdict` says whether the change is more than noise.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

answers = data_set.table("responses").query("survey == 'relationship'")
before, after = cx.last_waves(answers)
cx.score_change(before, after)
