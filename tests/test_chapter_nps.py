"""Chapter 3 on data that go wrong or differ: findings and notices that the numbers bear out."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cxlib.language import text
from cxlib.report import report as display
from cxlib.report.rows import Words
from cxlib.report.values import Word
from cxlib.samples.simulate import write_sample

CHAPTER = Path(__file__).parents[1] / "notebooks" / "03_nps_drivers.ipynb"
LESSON = {"teach", "exercise", "solution"}
NOW, WHOLE = "nps.standing[window=now]", "nps.standing[window=whole_period]"
DRIVERS = ["driver_delivery", "driver_ease", "driver_price", "driver_quality", "driver_support"]


def _cells():
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and not tags & LESSON:
            yield tags, compile("".join(cell["source"]), cell["id"], "exec")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=1500, seed=5)


@pytest.fixture(scope="module")
def done():
    """Reports on the company as it is, by their parameters: several tests read the same one."""
    return {}


@pytest.fixture
def run(company, done, monkeypatch):
    """`run(by="region", …)`: the report's pieces, as `kind -> key -> record`, and `titles` of the figures."""

    def _run(**parameters):
        key = None if "data" in parameters else tuple(sorted(parameters.items()))
        if key is None or key not in done:
            done[key] = _new(**parameters)
        return done[key]

    def _new(**parameters):
        pieces = {"finding": {}, "notice": {}, "table": {}, "figure": {}, "header": {}}
        titles = []

        def keep(data, raw, metadata):
            record = metadata["cx"]
            assert record["kind"] != "finding" or record["key"] not in pieces["finding"], "said twice"
            pieces[record["kind"]][record["key"]] = record

        def save(figure, buffer, **how):
            axes = [ax.get_title(loc="left") for ax in figure.axes]
            titles.append(figure.get_suptitle() or next(iter(axes), ""))
            buffer.write(b"<svg/>")

        monkeypatch.setattr(display, "_send", keep)
        monkeypatch.setattr(Figure, "savefig", save)
        names = {}
        for tags, code in _cells():
            exec(code, names)
            if "parameters" in tags:
                assert set(parameters) <= set(names)
                names.update({"data": str(company), "n_boot": 200, **parameters})
        for kind in ("finding", "notice"):
            for record in pieces[kind].values():
                assert not re.search(r"\bnan\b|\bNone\b|[{}\[\]]|<NA>", record["text"]), record["text"]
        return {**pieces, "titles": dict(zip(pieces["figure"], titles, strict=True))}

    return _run


@pytest.fixture
def changed(company, tmp_path):
    """`changed(responses=function, settings=(old, new))`: a copy of the company, changed."""

    def _changed(*, settings=None, **tables):
        for source in company.iterdir():
            name, target = source.stem, tmp_path / source.name
            if name in tables and tables[name] is None:
                continue
            if name in tables:
                tables[name](pd.read_parquet(source)).to_parquet(target)
            elif name == "dataset" and settings:
                words = source.read_text(encoding="utf-8")
                assert settings[0] in words
                target.write_text(words.replace(*settings), encoding="utf-8")
            else:
                target.write_bytes(source.read_bytes())
        return str(tmp_path)

    return _changed


def rows(pieces, table):
    return pd.DataFrame(pieces["table"][table]["rows"])


def values(pieces, key):
    return pieces["finding"][key]["values"]


def word(column, code, lang):
    found = Words().of(column, code)
    return found.in_language(lang) if isinstance(found, Word) else code


def relationship(responses):
    return responses[(responses["survey"] == "relationship") & responses["nps_score"].notna()]


def latest(responses):
    """Answers of the last wave by name: the sample's waves are named by their quarter."""
    asked = relationship(responses)
    return asked[asked["wave"] == asked["wave"].max()]


def nps_of(scores):
    return 100 * ((scores >= 9).mean() - (scores <= 6).mean())


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_by_region_every_large_group_has_its_drivers_map_and_penalties(run, lang):
    pieces = run(by="region", lang=lang)
    each, place, side = (rows(pieces, f"{name}_by_group") for name in ("drivers", "performance", "penalty"))
    for _, part in each.groupby("region"):
        assert part["importance"].sum() == pytest.approx(1) and len(part) == 5
        assert (part["conf_low"] <= part["importance"]).all() and (part["customers"] >= 10).all()
    assert set(place["region"]) == set(each["region"]) >= set(side["region"])
    small = set(rows(pieces, "nps_by_group")["region"].dropna()) - set(each["region"])
    told = pieces["notice"].get("nps.groups_too_small", {"text": ""})["text"]
    assert all(word("region", name, lang) in told for name in small)
    assert {"importance_by_group", "performance_by_group", "penalty_by_group"} <= set(pieces["figure"])
    first = each.sort_values("importance").drop_duplicates("region", keep="last")
    n = str(first["driver"].value_counts().iloc[0])
    assert n in pieces["titles"]["importance_by_group"]
    sure = first[first["probability_first"] >= 0.975]["region"]
    said = pieces["finding"]["nps.group_first"]["text"]
    assert [name for name in first["region"] if word("region", name, lang) in said] == [
        name for name in first["region"] if name in set(sure)
    ]
    assert {"csat_by_group", "ces_by_group", "change_by_group"} <= set(pieces["table"])


def test_satisfaction_and_effort_have_a_verdict_on_change(run, company):
    pieces = run()
    asked = relationship(pd.read_parquet(company / "responses.parquet"))
    waves = sorted(asked["wave"].unique())[-2:]
    for kind, measure in (("csat", lambda x: (x >= 4).mean()), ("ces", lambda x: x.mean())):
        held = asked[asked[f"{kind}_score"].notna()]
        before, after = (measure(held.loc[held["wave"] == wave, f"{kind}_score"]) for wave in waves)
        found = pieces["finding"][f"nps.measure_moved[measure={kind}]"]
        assert [found["values"]["before"], found["values"]["after"]] == pytest.approx([before, after])
        assert found["values"]["estimate"] == pytest.approx(after - before)
        moved = found["values"]["conf_low"] > 0 or found["values"]["conf_high"] < 0
        assert found["verdict"] in (("risen", "fallen") if moved else ("no_difference_shown",))


def test_weights_of_the_survey_are_used_and_said(run, changed):
    def heavy(responses):
        promotes = responses["nps_score"] >= 9
        return responses.assign(weight=np.where(promotes, 10.0, 1.0))

    plain, data = run(), changed(responses=heavy)
    pieces = run(data=data)
    asked = latest(heavy(pd.read_parquet(Path(data) / "responses.parquet")))
    weight, score = asked["weight"], asked["nps_score"]
    share = {"promoters": score >= 9, "detractors": score <= 6}
    share = {name: weight[held].sum() / weight.sum() for name, held in share.items()}
    standing = values(pieces, NOW)
    assert standing["estimate"] == pytest.approx(100 * (share["promoters"] - share["detractors"]))
    assert standing["promoter_share"] == pytest.approx(share["promoters"])
    cost = values(pieces, "nps.weight_cost")
    assert cost["unweighted"] == pytest.approx(values(plain, NOW)["estimate"])
    assert cost["estimate"] == standing["estimate"] and cost["n"] == len(asked)
    assert cost["design_effect"] == pytest.approx(cost["n"] / cost["n_effective"])
    assert "weight" in pieces["notice"]["nps.weighted"]["text"]
    assert values(pieces, "nps.csat") != values(plain, "nps.csat")
    importance = [rows(each, "drivers").set_index("driver")["importance"] for each in (plain, pieces)]
    assert not np.allclose(importance[0].sort_index(), importance[1].sort_index())
    assert "nps.weighted" not in plain["notice"]


@pytest.mark.long
def test_equal_weights_are_no_weights(run, changed):
    pieces = run(data=changed(responses=lambda table: table.assign(weight=2.0)))
    assert "nps.weighted" not in pieces["notice"]


def test_an_item_nobody_answered_is_named_and_hides_nothing(run, changed):
    whole = run()
    pieces = run(data=changed(responses=lambda table: table.assign(driver_app=np.nan)))
    assert "app" in pieces["notice"]["nps.unanswered_drivers"]["text"]
    assert set(pieces["finding"]) == set(whole["finding"])
    assert "display.finding_hidden" not in pieces["notice"]
    assert rows(pieces, "drivers")["importance"].tolist() == pytest.approx(
        rows(whole, "drivers")["importance"].tolist()
    )


def test_a_reversed_recommendation_score_is_the_one_to_blame(run, changed):
    pieces = run(data=changed(responses=lambda table: table.assign(nps_score=10 - table["nps_score"])))
    reversed_ = {key: each for key, each in pieces["notice"].items() if key.startswith("tables.reversed")}
    assert set(reversed_) == {"tables.reversed_nps"}
    assert "nps_score" in reversed_["tables.reversed_nps"]["text"]


@pytest.mark.long
def test_one_reversed_item_is_blamed_itself(run, changed):
    pieces = run(data=changed(responses=lambda table: table.assign(driver_price=6 - table["driver_price"])))
    assert "driver_price" in pieces["notice"]["tables.reversed"]["text"]
    assert "tables.reversed_nps" not in pieces["notice"]


@pytest.mark.parametrize(("apart", "verdict"), [(4, "risen"), pytest.param(1, None, marks=pytest.mark.long)])
def test_two_waves_that_differ_are_not_called_calm(run, changed, apart, verdict):
    """Four quarters apart the season is the same; with neighbours alone it cannot be told from the change."""

    def leap(responses):
        waves = sorted(responses["wave"].dropna().unique())
        last = [waves[-1 - apart], waves[-1]]
        held = responses[responses["wave"].isin(last)]
        rises = (held["wave"] == last[1]) & held["nps_score"].notna() & (held.index % 5 > 0)
        return held.assign(nps_score=held["nps_score"].mask(rises, 10))

    pieces = run(data=changed(responses=leap))
    assert pieces["finding"]["nps.moved"]["verdict"] == verdict
    assert values(pieces, "nps.moved")["conf_low"] > 0
    season = text("value.season.unknown", "en") in pieces["finding"]["nps.moved"]["text"]
    assert season == (verdict is None)
    found = rows(pieces, "nps_waves")["estimate"].tolist()
    moved = values(pieces, "nps.moved")
    assert found == pytest.approx([moved["before"], moved["after"]])
    assert pieces["titles"]["nps_waves"] == text("nps.plot_waves_few_title", "en", waves=2)
    assert "nps.waves" not in pieces["finding"]


def test_eight_waves_are_judged_and_said(run):
    pieces = run()
    found = rows(pieces, "nps_waves")
    outside = found.loc[found["is_signal"] == True, "wave"].tolist()  # noqa: E712
    calm = text("nps.plot_waves_calm_title", "en", waves=len(found))
    assert (pieces["titles"]["nps_waves"] == calm) == (not outside)
    assert values(pieces, "nps.waves").get("names", []) == outside


def test_drivers_split_into_the_groups_of_the_rules(run):
    pieces = run()
    whole, owen = rows(pieces, "driver_groups"), rows(pieces, "owen")
    assert set(whole["group"]) == {"rational", "emotional"}
    assert whole["importance"].sum() == pytest.approx(1)
    sums = owen.groupby("group")["importance"].sum()
    assert whole.set_index("group")["importance"].to_dict() == pytest.approx(sums.to_dict())
    assert (whole["conf_low"] < whole["importance"]).all() and (
        whole["importance"] < whole["conf_high"]
    ).all()
    assert f"{whole['importance'].iloc[0]:.1%}" in pieces["finding"]["nps.driver_groups"]["text"]


@pytest.mark.long
def test_drivers_that_no_rule_groups_are_said_so(run, changed):
    other = {name: f"driver_x{place}" for place, name in enumerate(DRIVERS)}
    pieces = run(data=changed(responses=lambda table: table.rename(columns=other)))
    assert "drivers.yml" in pieces["notice"]["nps.no_driver_groups"]["text"]
    assert "driver_groups" not in pieces["table"]


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_the_outcome_asked_for_is_the_one_named(run, lang):
    pieces = run(outcome="csat_score", lang=lang)
    word, other = (text(f"value.outcome.{name}", lang) for name in ("csat_score", "nps_score"))
    assert word in pieces["finding"]["nps.top_driver"]["text"]
    for key in ("driver_importance", "penalty_reward", "penalty_by_group"):
        assert word in pieces["figure"][key]["caption"] and other not in pieces["figure"][key]["caption"]
    assert other not in pieces["finding"]["nps.top_driver"]["text"]
    recommends = run(lang=lang)
    assert other in recommends["finding"]["nps.top_driver"]["text"]
    effects = rows(recommends, "one_point")["promoter_change"].tolist()
    assert rows(pieces, "one_point")["best_boxes_change"].tolist() != pytest.approx(effects)


def test_without_orders_every_section_says_what_is_missing(run, changed):
    pieces = run(data=changed(orders=None))
    missing = {"nps.none_silent", "nps.none_weights", "nps.none_after", "nps.none_loop", "nps.no_referrals"}
    assert missing | {"nps.worth_too_few"} <= set(pieces["notice"])
    assert {pieces["notice"][key]["level"] for key in missing} == {"not_enough_data"}
    assert "moves" in pieces["table"]


@pytest.mark.long
def test_a_scale_of_four_boxes_has_penalties(run, changed):
    def four(responses):
        squeezed = {name: np.ceil(responses[name] * 0.8) for name in (*DRIVERS, "csat_score")}
        return responses.assign(**squeezed)

    pieces = run(data=changed(responses=four, settings=("csat_scale: [1, 5]", "csat_scale: [1, 4]")))
    assert "penalty_reward" in pieces["figure"]


@pytest.mark.long
def test_without_answers_in_the_middle_there_are_no_penalties_and_it_says_so(run, changed):
    def ends_only(responses):
        return responses.assign(**{name: 1.0 + 4 * (responses[name] > 3) for name in DRIVERS})

    pieces = run(data=changed(responses=ends_only))
    assert "penalty_reward" not in pieces["figure"]
    assert pieces["notice"]["nps.no_asymmetry"]["level"] == "not_enough_data"


def test_bounds_count_each_customer_once(run, company):
    """Rate and bounds have one base: customers, with the last score of each."""
    pieces = run()
    asked = relationship(pd.read_parquet(company / "responses.parquet"))
    orders = pd.read_parquet(company / "orders.parquet")
    net = orders.groupby(["customer_id", "order_id"])["amount"].sum()
    buyers = net[net > 0].index.get_level_values(0).unique()
    last = asked.sort_values("answered_at").drop_duplicates("customer_id", keep="last")
    last = last[last["customer_id"].isin(buyers)]
    said, rate = values(pieces, "nps.unheard"), len(last) / len(buyers)
    assert [said["n_answered"], said["n"]] == [len(last), len(buyers)]
    assert said["estimate"] == pytest.approx(nps_of(last["nps_score"]))
    ends = [rate * said["estimate"] - 100 * (1 - rate), rate * said["estimate"] + 100 * (1 - rate)]
    assert [said["low_points"], said["high_points"]] == pytest.approx(ends)


def test_one_rule_names_the_driver_to_start_with(run):
    """The decision and the finding on what to fix first name the same drivers, and the badge agrees."""
    strict, loose = run(), run(needed_certainty=0.6)
    for pieces, needed in ((strict, 0.975), (loose, 0.6)):
        start = pieces["finding"]["nps.start"]
        names = start["values"].get("drivers", []) + start["values"].get("then", [])
        fix = values(pieces, "nps.fix_first").get("drivers", [])
        assert sorted(names) == sorted(fix)
        first = rows(pieces, "drivers").set_index("driver")["probability_first"].max()
        assert start["values"]["probability_first"] == pytest.approx(first)
        is_one = len(fix) == 1 or (len(fix) > 1 and first >= needed)
        assert start["verdict"] == ("start_here" if is_one else "undecided" if fix else "not_met")
        if "nps.rule_error" in pieces["finding"]:
            assert values(pieces, "nps.rule_error")["miss_share"] == pytest.approx(2 * (1 - needed))


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_the_headline_is_the_latest_wave_and_the_pool_is_named_as_such(run, company, lang):
    pieces = run(lang=lang)
    asked = relationship(pd.read_parquet(company / "responses.parquet"))
    now = latest(asked)
    assert values(pieces, NOW)["estimate"] == pytest.approx(nps_of(now["nps_score"]))
    assert values(pieces, WHOLE)["estimate"] == pytest.approx(nps_of(asked["nps_score"]))
    assert now["wave"].iloc[0] in pieces["finding"][NOW]["text"]
    assert {"en": "whole period", "ja": "全期間"}[lang] in pieces["finding"][WHOLE]["text"]
    satisfied = now["csat_score"].dropna() >= 4
    assert values(pieces, "nps.csat")["estimate"] == pytest.approx(satisfied.mean())
    assert values(pieces, "nps.ces")["estimate"] == pytest.approx(now["ces_score"].mean())


def test_every_nps_in_a_sentence_names_its_answers(run):
    named = {NOW: "wave ", WHOLE: "whole period", "nps.unheard": "last answer of each"}
    named |= {"nps.raked": "last answer", "nps.moved": "rom 2026Q2 to 2026Q3 "}
    named |= {"nps.target[measure=nps]": "wave "}
    told = {key: each["text"] for key, each in run()["finding"].items() if "NPS" in each["text"]}
    for key, words in named.items():
        assert words in told.get(key, words), key
    others = set(told) - set(named) - {"nps.silence", "nps.moved_same", "nps.mix_rate", "nps.touchpoints"}
    assert all(key.startswith(("nps.group_gaps", "nps.group_moves")) for key in others), others


def test_targets_are_judged_on_the_latest_wave_and_a_missed_one_is_said(run):
    pieces = run()
    table = {kind: rows(pieces, kind).iloc[0] for kind in ("nps", "csat", "ces")}
    for kind, target in (("nps", 20), ("csat", 0.8), ("ces", 5.5)):
        found = pieces["finding"][f"nps.target[measure={kind}]"]
        row = table[kind]
        assert row["window"] == "now" and found["values"]["estimate"] == row["estimate"]
        above, below = row["conf_low"] >= target, row["conf_high"] < target
        assert found["verdict"] == ("target_met" if above else "target_missed" if below else "undecided")
    assert "target_missed" in {each["verdict"] for each in pieces["finding"].values()}


def test_a_survey_after_a_contact_is_not_judged_by_the_relationship_target(run):
    pieces = run(survey="transaction")
    assert not [key for key in pieces["finding"] if key.startswith("nps.target")]
    assert "nps.no_target" in pieces["notice"]
    own = run(survey="transaction", target_nps=0.0)
    assert own["finding"]["nps.target[measure=nps]"]["verdict"] in (
        "target_met",
        "target_missed",
        "undecided",
    )


def test_touchpoints_are_told_apart(run, company):
    pieces = run(survey="transaction")
    asked = pd.read_parquet(company / "responses.parquet")
    asked = asked[asked["survey"] == "transaction"]
    for kind, measure in (("csat", lambda x: (x >= 4).mean()), ("ces", lambda x: x.mean()), ("nps", nps_of)):
        table = rows(pieces, f"{kind}_by_touchpoint").set_index("touchpoint")["estimate"]
        each = asked.dropna(subset=f"{kind}_score").groupby("touchpoint")[f"{kind}_score"].agg(measure)
        assert table.dropna().to_dict() == pytest.approx(each[table.dropna().index].to_dict())
    told = pieces["notice"]["nps.pooled_touchpoints"]["text"]
    assert "4 touchpoints" in told and told.count(",") + told.count(" and ") >= 3
    assert {"csat_by_touchpoint", "ces_by_touchpoint"} <= set(run()["table"])
    assert "nps_by_touchpoint" not in run()["table"]


@pytest.mark.long
def test_without_nps_the_rest_of_the_chapter_goes_through(run, changed):
    pieces = run(data=changed(responses=lambda table: table.drop(columns="nps_score")), outcome="csat_score")
    assert {"nps.no_scores"} <= set(pieces["notice"])
    assert {"nps.csat", "nps.ces", "nps.top_driver", "nps.target[measure=csat]"} <= set(pieces["finding"])
    told = " ".join(each["text"] for each in pieces["notice"].values())
    assert "Without orders" not in told and "no table `orders`" not in told
    assert not {NOW, WHOLE, "nps.moved", "nps.unheard"} & set(pieces["finding"])


def test_with_effort_only_what_is_missing_is_left_out(run, changed):
    def effort(table):
        return table.drop(columns=["nps_score", "csat_score", *DRIVERS])

    pieces = run(data=changed(responses=effort))
    assert {"nps.no_scores", "nps.no_outcome"} <= set(pieces["notice"])
    assert "nps.ces" in pieces["finding"] and "nps.csat" not in pieces["finding"]


def test_a_period_in_the_past_has_its_own_present(run, company):
    pieces = run(period_end="2026-06-30")
    asked = relationship(pd.read_parquet(company / "responses.parquet"))
    spring = asked.loc[asked["wave"] == "2026Q2", "nps_score"]
    assert values(pieces, NOW)["estimate"] == pytest.approx(nps_of(spring))
    assert "Jun 30, 2026" in pieces["finding"]["nps.unheard"]["text"]


def test_referred_buyers_are_counted_and_compared(run, changed, company):
    pieces = run()
    people, orders = (pd.read_parquet(company / f"{name}.parquet") for name in ("customers", "orders"))
    buyers = orders.loc[orders["amount"] > 0, "customer_id"].unique()
    source = people.loc[people["customer_id"].isin(buyers), "acquisition_channel"].dropna()
    found = values(pieces, "nps.referred")
    assert found["estimate"] == pytest.approx((source == "referral").mean())
    table = rows(pieces, "referred").set_index("metric")
    gap = table.loc["middle_referred", "estimate"] - table.loc["middle_others", "estimate"]
    assert values(pieces, "nps.referred_spend")["estimate"] == pytest.approx(gap)
    none = run(data=changed(customers=lambda table: table.assign(acquisition_channel="sns")))
    assert "nps.no_referrals" in none["notice"] and "referred" not in none["table"]


@pytest.mark.long
def test_renamed_waves_leave_the_numbers_alone(run, changed, company):
    asked = pd.read_parquet(company / "responses.parquet")
    names = {
        name: f"Wave {place + 1:02}" for place, name in enumerate(sorted(asked["wave"].dropna().unique()))
    }
    whole = run()
    pieces = run(data=changed(responses=lambda table: table.assign(wave=table["wave"].map(names))))
    assert list(rows(pieces, "nps_waves")["wave"]) == [names[w] for w in rows(whole, "nps_waves")["wave"]]
    for key in ("before", "after", "estimate", "conf_low", "conf_high"):
        assert values(pieces, "nps.moved")[key] == pytest.approx(values(whole, "nps.moved")[key])


def test_small_groups_are_neither_computed_nor_named(run, changed):
    def rare(people):
        return people.assign(region=np.where(people.index < 6, "Atlantis", people["region"]))

    pieces = run(by="region", data=changed(customers=rare))
    assert "Atlantis" not in json.dumps({kind: pieces[kind] for kind in ("finding", "notice", "table")})


def test_attitude_against_spend_is_said(run):
    pieces = run()
    corner = rows(pieces, "attitude_spend").set_index(["attitude", "spend_level"])
    said = values(pieces, "nps.quadrant_split")
    assert said["n"] == corner.loc[("promoter", "low"), "n"]
    assert said["at_risk_share"] == pytest.approx(corner.loc[("detractor", "high"), "amount_share"])
