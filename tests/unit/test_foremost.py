import numpy as np
import pandas as pd

from cxlib.foremost import leading


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
