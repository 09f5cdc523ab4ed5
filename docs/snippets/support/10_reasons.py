"""What do orders make customers ask?

Tickets per hundred orders, by reason.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

tickets = cx.support.read_tickets(data_set.table("tickets"), as_of=data_set.as_of)
rates = cx.support.reasons(tickets, data_set.table("orders"), as_of=data_set.as_of)
cx.plot_reasons(rates)
