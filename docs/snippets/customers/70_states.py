"""In which state of mind are customers today?

States follow from rules (`data/rules/states.yml`): the first that fits.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

tables = [data_set.table(name) for name in ("customers", "orders")]
states = cx.attitude_states(*tables, as_of=data_set.as_of, rules=cx.load_rules("states"))
cx.state_table(states)
