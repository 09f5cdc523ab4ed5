"""Answers on the funnel."""

PATH = ["home", "list", "product", "cart", "payment", "done"]


def right_1(shop):
    reached = shop["events"].groupby("page")["session_id"].nunique()
    return reached["done"] / reached["home"]


def wrong_1_known(shop):
    known = shop["events"].dropna(subset=["customer_id"])
    reached = known.groupby("page")["session_id"].nunique()
    return reached["done"] / reached["home"]


def wrong_1_of_the_step_before(shop):
    reached = shop["events"].groupby("page")["session_id"].nunique()
    return reached["done"] / reached["payment"]


def wrong_1_of_views(shop):
    return shop["events"]["page"].dropna().eq("done").mean()


def right_2(shop):
    reached = shop["events"].groupby("page")["session_id"].nunique()
    return 1 - reached["done"] / reached["payment"]


def wrong_2_of_all_visits(shop):
    reached = shop["events"].groupby("page")["session_id"].nunique()
    return (reached["payment"] - reached["done"]) / reached["home"]


def wrong_2_who_go_on(shop):
    return 1 - right_2(shop)


def _last_pages(shop):
    views = shop["events"].dropna(subset=["page"]).sort_values("occurred_at")
    last = views.groupby("session_id")["page"].last().value_counts().drop("done")
    return last, views.groupby("page")["session_id"].nunique()


def right_3(shop):
    views = shop["events"].dropna(subset=["page"]).sort_values("occurred_at")
    exits = views.groupby("session_id")["page"].last().value_counts().drop("done")
    there = views.groupby("page")["session_id"].nunique()
    return (exits / there).idxmax()


def wrong_3_most_exits(shop):
    return _last_pages(shop)[0].idxmax()


def wrong_3_natural_end(shop):
    return "done"


def right_4(shop):
    reached = shop["events"].groupby("page")["session_id"].nunique()
    lost_at_cart = 1 - reached["payment"] / reached["cart"]
    lost_at_payment = 1 - reached["done"] / reached["payment"]
    return reached["payment"] * (lost_at_payment - lost_at_cart)


def wrong_4_of_all_visits(shop):
    reached = shop["events"].groupby("page")["session_id"].nunique()
    return right_4(shop) / reached["payment"] * reached["home"]


def wrong_4_counts(shop):
    exits = _last_pages(shop)[0]
    return exits["payment"] - exits["cart"]


def wrong_4_share(shop):
    return right_4(shop) / shop["events"].query("page == 'payment'")["session_id"].nunique()
