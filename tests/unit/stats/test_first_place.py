import numpy as np
import pandas as pd

from cxlib.stats.first_place import leading


def rows(estimates, half):
    estimates = np.asarray(estimates, dtype=float)
    frame = pd.DataFrame({"name": list("abcd")[: len(estimates)], "estimate": estimates})
    return frame.assign(conf_low=estimates - half, conf_high=estimates + half)


def test_first_is_apart_only_where_its_interval_clears_the_next():
    assert leading(rows([1, 5, 3], 0.9), name_col="name") == {"first": "b", "second": "c", "rank": "first"}
    assert leading(rows([1, 5, 3], 1.1), name_col="name")["rank"] == "among"


def test_lowest_first_and_rows_without_an_estimate_left_out():
    found = leading(rows([np.nan, 5, 3, 9], 0.5), name_col="name", lowest=True)
    assert found == {"first": "c", "second": "b", "rank": "first"}


def test_a_single_row_and_none():
    assert leading(rows([2], 1), name_col="name") == {"first": "a", "second": None, "rank": "only"}
    assert leading(rows([np.nan], 1), name_col="name")["rank"] == "none"


def test_limits_that_read_alike_are_not_apart():
    close = rows([0.3, 0.2], 0.0).assign(conf_low=[0.2504, 0.1], conf_high=[0.4, 0.2502])
    assert leading(close, name_col="name", unit="share")["rank"] == "among"  # 25.0% and 25.0%
    assert leading(close.assign(conf_low=[0.252, 0.1]), name_col="name", unit="share")["rank"] == "first"


def test_only_who_may_lead_comes_first_and_is_compared_with_all():
    found = leading(rows([9, 5, 3], 0.5), name_col="name", may_lead=np.array([False, True, True]))
    assert found == {"first": "b", "second": "a", "rank": "among"}
    assert leading(rows([9, 5], 0.5), name_col="name", may_lead=[False, False])["rank"] == "none"
