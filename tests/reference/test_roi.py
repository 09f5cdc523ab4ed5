"""Spreadsheet figures: NPV, IRR, XNPV and XIRR of the functions' own documentation (Microsoft)."""

from datetime import date

import numpy as np
import pytest

import cxlib as cx
from cxlib.checks import ParameterError

DATES = [date(2008, 1, 1), date(2008, 3, 1), date(2008, 10, 30), date(2009, 2, 15), date(2009, 4, 1)]
DATED = [-10000, 2750, 4250, 3250, 2750]


def test_npv():
    assert cx.npv(0.10, [-10000, 3000, 4200, 6800], first="end") == pytest.approx(1188.44, abs=0.005)
    assert cx.npv(0.10, [-10000, 3000, 4200, 6800]) == pytest.approx(1188.44 * 1.1, abs=0.01)


def test_irr():
    assert cx.irr([-70000, 12000, 15000, 18000, 21000, 26000]) == pytest.approx(0.0866, abs=5e-5)
    assert cx.irr([-70000, 12000, 15000, 18000, 21000]) == pytest.approx(-0.0212, abs=5e-5)


def test_xnpv_and_xirr():
    assert cx.xnpv(0.09, DATED, DATES) == pytest.approx(2086.65, abs=0.005)
    assert cx.xirr(DATED, DATES) == pytest.approx(0.3734, abs=5e-5)


@pytest.mark.parametrize("flows", [[100.0, 50.0], [-100.0, -1.0], [0.0, 0.0], [-100.0]])
def test_there_is_no_rate_without_a_change_of_sign(flows):
    assert np.isnan(cx.irr(flows))


def test_a_rate_below_minus_one_is_refused():
    with pytest.raises(ParameterError):
        cx.npv(-1.0, [1.0])
    with pytest.raises(ParameterError, match="first"):
        cx.npv(0.1, [1.0], first="later")
