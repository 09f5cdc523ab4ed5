"""Published figures for survival, F2 and funnels; numbers and sources in `reference.json` and METHODS d.4."""

import pandas as pd
import pytest

from cxlib.journey.funnels_and_exits import exit_rates, funnel
from cxlib.journey.second_purchase.days_between import repeat_times
from cxlib.journey.second_purchase.f2_curve import repeat_curve
from cxlib.stats.survival.kaplan_meier import logrank, rmst, survival_curve

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def cdnow(reference_dir):
    names = ["customer_id", "ordered_at", "cds", "amount"]
    path = reference_dir("cdnow") / "CDNOW_master.txt"
    rows = pd.read_csv(
        path, sep=r"\s+", names=names, skiprows=1, dtype={"customer_id": str, "ordered_at": str}
    )
    return rows.assign(ordered_at=pd.to_datetime(rows["ordered_at"], format="%Y%m%d"))


def test_cdnow_f2_by_purchase_day(cdnow):
    f2 = repeat_curve(cdnow, as_of="1998-06-30", amount_col="none")  # free orders count in the published data
    expected = [0.1745863, 0.2515486, 0.2921935, 0.3745015, 0.4586337]
    assert f2["estimate"].to_list() == pytest.approx(expected, abs=1e-6)
    assert f2["mature"].to_list() == pytest.approx(expected, abs=1e-6)


def test_cdnow_counts_days_not_rows(cdnow):
    times = repeat_times(cdnow, as_of="1998-06-30", amount_col="none")
    assert (len(times), times["is_repeat"].sum()) == (23_570, 11_516)
    assert times["is_repeat"].mean() == pytest.approx(0.4885872, abs=1e-6)
    assert times.loc[times["is_repeat"], "duration_days"].median() == 57


def test_waltons(reference_dir):
    flies = pd.read_csv(reference_dir("lifelines") / "waltons_dataset.csv")
    spell = {"duration_col": "T", "event_col": "E"}
    curve = survival_curve(flies, by="group", **spell)
    median = curve[curve["estimate"] <= 0.5].groupby("group")["time"].min()
    assert median.to_dict() == {"control": 58, "miR-137": 26}
    assert logrank(flies, by="group", **spell)["statistic"].item() == pytest.approx(122.2491, abs=1e-3)
    areas = rmst(flies, horizon=10, by="group", **spell)
    treated = areas[(areas["group"] == "miR-137") & (areas["metric"] == "rmst")].iloc[0]
    assert (treated["estimate"], treated["std_error"]) == pytest.approx((9.79412, 0.12324), abs=1e-5)
    assert areas["p_value"].dropna().item() == pytest.approx(0.1453, abs=5e-5)


def test_dd(reference_dir):
    regimes = pd.read_csv(reference_dir("lifelines") / "dd.csv")
    spell = {"duration_col": "duration", "event_col": "observed"}
    curve = survival_curve(regimes, **spell)
    assert curve.loc[curve["estimate"] <= 0.5, "time"].min() == 4
    assert logrank(regimes, by="democracy", **spell)["statistic"].item() == pytest.approx(260.47, abs=5e-3)


def test_rossi(reference_dir):
    released = pd.read_csv(reference_dir("lifelines") / "rossi.csv")
    curve = survival_curve(released, duration_col="week", event_col="arrest", times=[52])
    assert (curve["n"].item(), curve["n_events"].item()) == (432, 114)
    assert curve["estimate"].item() == pytest.approx(1 - 114 / 432)  # nobody is censored before week 52


def test_telco(reference_dir):
    subscribers = pd.read_csv(next(reference_dir("telco").glob("*.csv")))
    subscribers["left"] = subscribers["Churn"] == "Yes"
    spell = {"duration_col": "tenure", "event_col": "left"}
    curve = survival_curve(subscribers, times=[12, 24, 36, 48, 60, 72], **spell)
    expected = [0.8432, 0.7887, 0.7485, 0.7088, 0.6644, 0.5928]
    assert curve["estimate"].to_list() == pytest.approx(expected, abs=1e-4)
    monthly = survival_curve(subscribers[subscribers["Contract"] == "Month-to-month"], **spell).set_index(
        "time"
    )
    assert monthly["estimate"][[12, 24, 48, 72]].to_list() == pytest.approx(
        [0.7031, 0.5859, 0.3973, 0.129], abs=1e-4
    )
    assert monthly.index[monthly["estimate"] <= 0.5].min() == 35
    test = logrank(subscribers, by="Contract", **spell)
    assert test["statistic"].item() == pytest.approx(2352.873, abs=1e-2)


@pytest.fixture(scope="module")
def shop_events(reference_dir):
    return pd.read_csv(reference_dir("retentioneering") / "ecom.csv.gz", parse_dates=["timestamp"])


@pytest.mark.parametrize(
    ("unit", "order", "expected"),
    [
        ("session_id", "any", [2868, 1213, 1022, 798, 632, 470]),
        ("session_id", "strict", [2868, 944, 477, 194, 72, 15]),
        ("user_id", "any", [598, 522, 489, 441, 390, 328]),
        ("user_id", "strict", [598, 517, 429, 329, 222, 114]),
    ],
)
def test_retentioneering_funnel(shop_events, unit, order, expected):
    steps = ["product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"]
    result = funnel(
        shop_events, steps=steps, order=order, unit_col=unit, step_col="event", time_col="timestamp"
    )
    assert result["n"].to_list() == expected


def test_retentioneering_errors_turn_up_in_the_exits(shop_events):
    columns = {"page_col": "event", "time_col": "timestamp"}
    exits = exit_rates(shop_events, goal="purchase", among="shipping_details", **columns)
    assert exits["page"].to_list()[:2] == ["payment_error", "checkout_bug"]
    assert exits["is_excessive"].to_list()[:2] == [True, True]
    assert (exits["difference_conf_low"][:2] > 0).all()
    bug = exits.set_index("page").loc["checkout_bug"]  # counted by hand from the file
    assert (bug["n"], bug["n_exits"]) == (21, 19)
