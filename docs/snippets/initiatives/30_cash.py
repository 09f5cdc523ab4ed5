"""When does an initiative earn its cost?

Cumulative cash month by month; the fan holds the uncertainty of the effect.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

tables = cx.initiatives.study_tables(data_set, data_set.scope())
chosen = cx.choose_initiative(data_set.table("initiatives"), "I1")
people, terms = data_set.table("customers"), cx.Terms(currency=data_set.currency)
found = cx.evaluate_initiative(chosen, **tables, selected=people, as_of=data_set.as_of, terms=terms)
cx.plot_cumulative_cash(cx.cash_shown(found), currency=data_set.currency)
