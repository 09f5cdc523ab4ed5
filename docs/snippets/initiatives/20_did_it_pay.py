"""Did the initiative pay, or is it too early?

From nothing but before and after up to the strongest comparison the data allow; the verdict goes by the
strongest.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

tables = cx.initiatives.study_tables(data_set, data_set.scope())
chosen = cx.choose_initiative(data_set.table("initiatives"), "I1")
people, terms = data_set.table("customers"), cx.Terms(currency=data_set.currency)
found = cx.evaluate_initiative(chosen, **tables, selected=people, as_of=data_set.as_of, terms=terms)
cx.decision_shown(found)
cx.plot_ladder(cx.ladder_shown(found))
