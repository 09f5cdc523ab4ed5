"""Does NPS differ between channels?

Bars that overlap are not told apart; `cx.group_gaps` tests the differences.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

answers = cx.survey_answers(
    data_set.table("responses"), data_set.table("customers"), by="acquisition_channel"
)
scores = cx.nps(answers, by="acquisition_channel", cluster_col="customer_id")
cx.plot_nps(scores, by="acquisition_channel")
