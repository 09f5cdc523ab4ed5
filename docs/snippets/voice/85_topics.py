"""What are comments about, and what does each topic do to NPS?

NPS with and without those who mention a topic.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

comments = cx.voice.commented(data_set.table("responses"))
found = cx.voice.code_comments(comments, cx.codebook(cx.load_rules("topics")))
impact = cx.voice.topic_impact(comments, found)
cx.plot_topic_impact(impact)
