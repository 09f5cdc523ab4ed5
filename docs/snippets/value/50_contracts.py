"""How long do contracts last?

The probability that a contract is still running after so many renewals.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

cx.value.contract_renewals(data_set.table("contracts"), as_of=data_set.as_of)
