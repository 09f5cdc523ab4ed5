"""Answers on the emotion curve."""


def right_1(shop):
    answers = shop["events"].query("stage == 'decide'")["valence"].dropna()
    return (answers < 0).mean()


def wrong_1_of_contacts(shop):
    return (shop["events"].query("stage == 'decide'")["valence"] < 0).mean()


def wrong_1_neutral_too(shop):
    answers = shop["events"].query("stage == 'decide'")["valence"].dropna()
    return (answers <= 0).mean()


def right_2(shop):
    return shop["events"].groupby("stage")["valence"].mean()["wait"]


def wrong_2_silence_is_zero(shop):
    return shop["events"].query("stage == 'wait'")["valence"].fillna(0).mean()


def wrong_2_median(shop):
    return shop["events"].groupby("stage")["valence"].median()["wait"]


def _scores(shop):
    return shop["events"].groupby(["customer_id", "stage"])["valence"].mean().unstack()


def right_3(shop):
    scores = shop["events"].groupby(["customer_id", "stage"])["valence"].mean().unstack()
    both = scores[["first_use", "decide"]].dropna()
    return (both["decide"] < both["first_use"]).mean()


def wrong_3_everybody(shop):
    return (_scores(shop)["decide"] < _scores(shop)["first_use"]).mean()


def wrong_3_ties(shop):
    both = _scores(shop)[["first_use", "decide"]].dropna()
    return (both["decide"] <= both["first_use"]).mean()


def right_4(shop):
    return shop["events"]["valence"].notna().groupby(shop["events"]["stage"]).mean().idxmin()


def wrong_4_fewest_answers(shop):
    return shop["events"].groupby("stage")["valence"].count().idxmin()


def wrong_4_lowest_mean(shop):
    return shop["events"].groupby("stage")["valence"].mean().idxmin()
