"""How long do customers wait for an answer?

Clocks run for tickets that are still open, too: the median is not that of the answered alone.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

tickets = cx.support.read_tickets(data_set.table("tickets"), as_of=data_set.as_of)
cx.support.reply_times(tickets)
