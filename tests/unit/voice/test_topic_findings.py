"""What topics go with, how far people agree, what moved and what is claimed: signs, doubt and few data."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxlib.checks import NotEnoughData, ParameterError
from cxlib.data.rules.decisions import Decision
from cxlib.data.text_type import TEXT
from cxlib.language import catalogue
from cxlib.voice.topics.agreement import agreement, topic_agreement, trusted_topics
from cxlib.voice.topics.claims import changes_told, checked_told, impact_told, with_trust, work_first
from cxlib.voice.topics.coding import code_comments, codebook
from cxlib.voice.topics.impact import topic_impact
from cxlib.voice.topics.known_parts import checked_by_people, impacts, responses_or_end
from cxlib.voice.topics.ledger import closed_share, topic_ledger
from cxlib.voice.topics.shares import topic_changes, topic_gaps, topic_shares
from cxlib.voice.topics.voices import commenters_apart, source_mix, who_comments


def planted(seed=1, n=800, effect=0.3):
    """Delivery lowers the score, price goes with it, store has nothing to do with it."""
    rng = np.random.default_rng(seed)
    late = rng.random(n) < 0.3
    marks = {
        "delivery": late,
        "price": rng.random(n) < np.where(late, 0.5, 0.2),
        "store": rng.random(n) < 0.2,
    }
    data = pd.DataFrame({"response_id": np.arange(n), "customer_id": rng.integers(0, n // 2, n)})
    data["nps_score"] = np.where(rng.random(n) < 0.5 - effect * late, 9.0, 5.0)
    parts = [pd.DataFrame({"response_id": np.flatnonzero(on), "topic": name}) for name, on in marks.items()]
    return data, pd.concat(parts, ignore_index=True)


def of(found, metric):
    return found[found["metric"] == metric].set_index("topic")


def test_a_topic_of_low_scores_lowers_and_what_has_nothing_to_do_with_it_is_not_named():
    found = of(topic_impact(*planted()), "impact")
    assert found.loc["delivery", "verdict"] == "lowers" and found.loc["delivery", "estimate"] < 0
    assert found.loc["store", "verdict"] == "no_difference_shown"


def test_renamed_columns_row_order_and_further_columns_do_not_matter():
    data, on = planted()
    names = {"response_id": "id", "customer_id": "who", "nps_score": "mark"}
    other = data.rename(columns=names).assign(more=1).sample(frac=1, random_state=2)
    columns = {"score_col": "mark", "cluster_col": "who", "response_id_col": "id"}
    again = topic_impact(other, on, **columns)
    pd.testing.assert_frame_equal(again, topic_impact(data, on), rtol=1e-12)


def test_answers_of_one_customer_are_one_draw():
    data, on = planted(n=300)
    doubled = pd.concat([data, data.assign(response_id=data["response_id"] + 1000)])
    twice = pd.concat([on, on.assign(response_id=on["response_id"] + 1000)])
    once, again = of(topic_impact(data, on), "impact"), of(topic_impact(doubled, twice), "impact")
    assert again["std_error"].to_numpy() == pytest.approx(once["std_error"].to_numpy(), rel=0.02)
    assert again["n"].tolist() == (2 * once["n"]).tolist()


def test_a_topic_on_every_answer_and_one_of_one_customer_have_no_interval():
    data = pd.DataFrame(
        {"response_id": range(6), "customer_id": list("aabbcc"), "nps_score": [9, 9, 1, 1, 9, 1]}
    )
    on = pd.DataFrame({"response_id": [0, 1, 2, 3, 4, 5, 0, 1], "topic": ["all"] * 6 + ["one"] * 2})
    found = of(topic_impact(data, on), "impact")
    assert found["note"].to_dict() == {"all": "on_all", "one": "few"}
    assert (found["verdict"] == "not_enough_data").all()


def test_a_score_off_its_scale_is_refused_and_a_scale_of_ten_is_taken_for_satisfaction():
    data, on = planted(n=50)
    with pytest.raises(ParameterError, match="csat_score"):
        topic_impact(data.assign(csat_score=9), on, score_col="csat_score")
    found = topic_impact(data.assign(csat_score=9), on, score_col="csat_score", scale=(1, 10))
    assert set(found["measure"]) == {"csat"} and found["all_answers"].iloc[0] == 1


def test_no_answers_and_no_topics_give_no_rows():
    data, on = planted(n=20)
    assert topic_impact(data.head(0), on.head(0)).empty
    assert topic_impact(data, on.head(0)).empty
    assert impact_told(with_trust(topic_impact(data, on.head(0)), None)) == [{"note": "no_scores"}]


def readings(hit=1.0, seed=5, n=200, coders=("A", "B")):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    rows = [
        (f"r{unit}", coder, "price" if (is_on if rng.random() < hit else not is_on) else None)
        for coder in coders
        for unit, is_on in enumerate(truth)
    ]
    found = pd.DataFrame({"response_id": [f"r{unit}" for unit in np.flatnonzero(truth)], "topic": "price"})
    return pd.DataFrame(rows, columns=["response_id", "coder", "topic"]), found


@pytest.mark.parametrize(("hit", "agreed"), [(1.0, "reliable"), (0.93, "usable"), (0.75, "tentative")])
def test_people_who_agree_less_make_a_topic_tentative(hit, agreed):
    codings, found = readings(hit)
    table = topic_agreement(codings, found, topics=["price"])
    assert trusted_topics(table)["agreed"].tolist() == [agreed]
    people = table[table["metric"] == "alpha_people"].iloc[0]
    if hit < 1:
        assert (
            people["conf_low"] < 1 - 2 * hit * (1 - hit) / (2 * 0.43 * 0.57) + 0.1 < people["conf_high"] + 0.1
        )


def test_the_rule_counts_as_well_as_people():
    codings, found = readings()
    half = found.iloc[::2]
    table = topic_agreement(codings, half, topics=["price"]).set_index("metric")
    assert table.loc["alpha_people", "estimate"] == 1 and table.loc["precision", "estimate"] == 1
    assert table.loc["recall", "estimate"] == pytest.approx(0.5, abs=0.02)
    assert trusted_topics(table.reset_index())["agreed"].item() == "tentative"


def test_codings_by_one_coder_only_tell_nothing_of_agreement():
    codings, found = readings(coders=("A",))
    table = topic_agreement(codings, found, topics=["price"])
    assert trusted_topics(table)["agreed"].tolist() == ["not_enough_data"]
    assert table["note"].iloc[0] == "one_coder"
    assert agreement(codings.dropna())["verdict"].item() == "not_enough_data"


def test_values_that_cannot_be_compared_are_refused():
    codings, _ = readings()
    with pytest.raises(ParameterError, match="topic_agreement"):
        agreement(pd.concat([codings, codings]).dropna())
    with pytest.raises(ParameterError, match="needs numbers"):
        agreement(codings, "ordinal")
    with pytest.raises(ParameterError, match="nominal, ordinal, interval"):
        agreement(codings, "ratio")
    many = pd.DataFrame({"response_id": range(300), "coder": "A", "topic": range(300)})
    with pytest.raises(ParameterError, match="at most 101"):
        agreement(many, "interval")


def test_a_tentative_topic_carries_no_finding_and_cannot_be_worked_on_first():
    impact = topic_impact(*planted())
    tentative = pd.DataFrame({"topic": ["delivery", "price", "store"], "agreed": "tentative"})
    assert not with_trust(impact, tentative)["verdict"].isin(["lowers", "lifts"]).any()
    options = {"book": codebook(), "uncoded": 0.1, "as_of": "2026-09-30"}
    assert work_first(with_trust(impact, tentative), **options)["claim"].item() == "none"
    named = work_first(with_trust(impact, None), **options).iloc[0]
    assert (named["topic"], named["id"], named["verdict"]) == ("delivery", "voice delivery", "start_here")
    assert work_first(impact, **(options | {"uncoded": 0.6}))["verdict"].item() == "widen"
    assert work_first(impact, min_cell=5000, **options)["claim"].item() == "no_scores"


def test_what_is_told_is_named_on_both_scores_and_few_are_not_told():
    data, on = planted()
    both = impacts(
        data.assign(csat_score=3.0), on, pd.DataFrame(), scales={"nps_score": None, "csat_score": (1, 5)}
    )
    told = impact_told(both)
    assert [row["claim"] for row in told][:1] == ["nps_lowers"]
    assert impact_told(both, min_cell=10_000) == [{"note": "no_scores"}]


def test_shares_gaps_and_changes_have_the_right_sign():
    data, on = planted()
    data["region"] = np.where(
        data["response_id"].isin(on.loc[on["topic"] == "store", "response_id"]), "e", "w"
    )
    shares = topic_shares(data, on).set_index("topic")
    assert shares.loc["delivery", "estimate"] == pytest.approx(0.3, abs=0.06)
    gaps = topic_gaps(data, on, by="region").set_index(["region", "topic"])
    assert gaps.loc[("e", "store"), "verdict"] == "more_often"
    assert gaps.loc[("w", "store"), "verdict"] == "less_often"
    assert gaps.loc[("e", "delivery"), "verdict"] == "no_difference_shown"
    before, after = data[data["region"] == "w"], data[data["region"] == "e"]
    moved = topic_changes(before, after, on)
    (row,) = changes_told(moved)
    assert (row["topic"], row["verdict"], row["share_elsewhere"]) == ("store", "more_often", 0)
    assert changes_told(topic_changes(before.head(0), after.head(0), on.head(0))) == [{"note": "no_waves"}]


def test_who_comments_and_how_far_they_are_from_the_silent():
    rng = np.random.default_rng(2)
    score = np.where(rng.random(600) < 0.5, 9, 3)
    says = rng.random(600) < np.where(score == 3, 0.5, 0.2)
    data = pd.DataFrame(
        {"customer_id": range(600), "nps_score": score, "comment": np.where(says, "hm", None)}
    )
    shares = who_comments(data).set_index("attitude")["estimate"]
    assert shares["detractor"] > shares["all"] > shares["promoter"]
    row = commenters_apart(data).iloc[0]
    by_hand = 100 * ((score[says] == 9).mean() - (score[says] == 3).mean())
    silent = 100 * ((score[~says] == 9).mean() - (score[~says] == 3).mean())
    assert row["estimate"] == pytest.approx(by_hand - silent) and row["claim"] == "lower"
    assert commenters_apart(data.assign(comment="x"))["verdict"].item() == "not_enough_data"


def test_replies_wait_until_the_last_day_where_there_is_none():
    day = pd.to_datetime(["2026-01-01"] * 4)
    replied = pd.to_datetime(["2026-01-02", "2026-01-04", "2026-01-21", None])
    data = pd.DataFrame(
        {"customer_id": range(4), "answered_at": day, "replied_at": replied, "source": "review"}
    )
    row = source_mix(data, as_of="2026-03-01").iloc[0]
    assert (row["replied_share"], row["median_days"]) == (0.5, 3)
    assert source_mix(data.drop(columns="source"), as_of="2026-03-01").empty


def test_the_ledger_measures_again_what_is_done():
    days = pd.to_datetime(["2026-01-10"] * 100 + ["2026-03-10"] * 100)
    said = pd.DataFrame({"response_id": range(200), "customer_id": range(200), "answered_at": days})
    on = pd.DataFrame({"response_id": [*range(60), *range(100, 120)], "topic": "delivery"})
    done = {"id": "voice delivery", "who": "Yuki", "state": "done", "done_on": "2026-02-01"}
    open_ = {"id": "voice price", "state": "open"}
    taken = [Decision(**one) for one in (done, open_, {"id": "stop Mail"})]
    ledger = topic_ledger(taken, said, on, as_of="2026-09-30").set_index("topic")
    assert ledger.loc["delivery", "verdict"] == "less_often"
    assert ledger.loc["delivery", "estimate"] == pytest.approx(-0.4)
    assert ledger.loc["price", "verdict"] == "undecided" and len(ledger) == 2
    assert closed_share(ledger)["closed"] == 1 and closed_share(ledger)["fewer"] == 1
    early = topic_ledger(taken[:1], said, on, as_of="2026-02-15")
    assert early["verdict"].item() == "too_early"
    assert closed_share(topic_ledger([], said, on, as_of="2026-09-30")) == {"note": "none_taken"}


def test_without_codings_nothing_is_checked_and_that_is_said():
    data, on = planted()
    checked = checked_by_people(None, data, on, book=codebook())
    assert checked.trusted.empty and checked_told(checked.trusted, comments=checked.n)["note"] == "unchecked"


def test_texts_that_arrow_holds_in_parts_are_coded_as_one():
    held = pa.chunked_array([["Too expensive."], ["Too expensive."]], pa.large_string())
    answers = pd.DataFrame({"response_id": ["a", "b"], "comment": pd.array(held, dtype=TEXT)})
    whole = answers.assign(comment=pd.Series(["Too expensive."] * 2, dtype=TEXT))
    assert code_comments(answers)["topic"].tolist() == code_comments(whole)["topic"].tolist() != []


def test_responses_without_a_column_of_comments_end_the_report():
    class NoComments:
        """Responses whose export left the comments out; a class because chapters ask a data set."""

        def has(self, table, column=None):
            return column is None

        def table(self, name, **period):
            return pd.DataFrame({"response_id": ["a"]})

    with pytest.raises(NotEnoughData, match="comments"):
        responses_or_end(NoComments(), {})


def lowering(*carried):
    """Topics that all go with a lower NPS; of those named a part of the loss is shown too."""
    rows = [
        {"topic": topic, "metric": metric, "measure": "nps", "customers": 40, "n": 40, "estimate": -5.0,
         "conf_low": -9.0, "conf_high": -1.0 if is_shown else 1.0,
         "verdict": "lowers" if is_shown else "no_difference_shown"}
        for topic in ("delivery", "price")
        for metric, is_shown in (("impact", True), ("carried", topic in carried))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("carried", "claim", "others"),
    [
        (["price"], "only_carried", ["delivery"]),
        ([], "none_carried", ["delivery", "price"]),
        (["delivery", "price"], "among", None),
    ],
)
def test_no_topic_is_the_only_one_where_another_goes_with_a_lower_score_too(carried, claim, others):
    row = work_first(lowering(*carried), book=codebook(), uncoded=0.1, as_of="2026-09-30").iloc[0]
    assert (row["claim"], row.get("other_topic")) == (claim, others)
    assert f"voice.first.{claim}" in catalogue()
