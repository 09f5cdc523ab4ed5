"""What is our NPS, and how sure is it?

In points from -100 to 100; several answers of one customer count as one cluster.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

answers = data_set.table("responses")
cx.nps(answers, by="survey", cluster_col="customer_id")
