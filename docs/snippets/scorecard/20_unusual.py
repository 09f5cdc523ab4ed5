"""Is this month's figure unusual?

Limits hold all months of an unchanged figure together; a month outside is worth a question.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

events = data_set.table("events")
below = cx.scorecard.Measure(lambda rows, day: cx.below_expectation(rows), events)
days = {"first_day": cx.scorecard.first_day(data_set), "last_day": data_set.as_of}
points = cx.scorecard.monthly_figures({"below": below}, **days)
limits = cx.scorecard.control_limits(points, shares=["below"])
limits[["month", "estimate", "limit_low", "limit_high", "is_signal"]].tail(6)
