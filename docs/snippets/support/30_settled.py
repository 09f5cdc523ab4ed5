"""What share is settled at first contact?

Tickets too young to tell are left out and counted.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

tickets = cx.support.read_tickets(data_set.table("tickets"), as_of=data_set.as_of)
cx.support.settled_at_once(tickets)
