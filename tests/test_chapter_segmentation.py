"""Chapter 1 on a segment and on data that go wrong: the report says why, and traces nobody backwards."""

import json
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import cxlib as cx
from cxlib.report import report as display
from cxlib.samples.simulate import write_sample

CHAPTER = Path(__file__).parents[1] / "notebooks" / "01_segmentation.ipynb"
LESSON = {"teach", "exercise", "solution"}


def _cells():
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and not tags & LESSON:
            yield tags, compile("".join(cell["source"]), cell["id"], "exec")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=1500, seed=5)


@pytest.fixture(scope="module")
def run(company):
    """`run(segment="Loyal", …)`: the report's pieces, as `kind -> key -> record`, findings as lists."""

    def _run(**parameters):
        pieces = {"finding": {}, "notice": {}, "table": {}, "figure": {}, "header": {}}

        def keep(data, raw, metadata):
            record = metadata["cx"] | {"plain": data["text/plain"]}
            pieces[record["kind"]].setdefault(record["key"], []).append(record)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(display, "_send", keep)
            patch.setattr(Figure, "savefig", lambda self, buffer, **how: buffer.write(b"<svg/>"))
            names = {}
            for tags, code in _cells():
                exec(code, names)
                if "parameters" in tags:
                    assert set(parameters) <= set(names)
                    names.update({"data": str(company), **parameters})
        return pieces

    return _run


def rows_of(pieces, key):
    (record,) = pieces["table"][key]
    return pd.DataFrame(record["rows"])


@pytest.fixture(scope="module")
def everybody(run):
    return run()


@pytest.fixture(scope="module")
def champions(run):
    return run(segment="Champions", min_cell=5)


def test_states_of_a_segment_are_traced_from_its_first_day(company, champions):
    """Those who are champions now cannot have lapsed; those of a year ago can."""
    assert len(champions["notice"]["segmentation.traced"]) == 1
    (notice,) = champions["notice"]["segmentation.traced[part=states]"]
    data_set = cx.open_data(company)
    people, orders, last = data_set.table("customers"), data_set.table("orders"), data_set.as_of
    days = [pd.Timestamp(last) - pd.Timedelta(days=30 * step) for step in range(12, -1, -1)]
    then = cx.choose_customers(people, orders, as_of=days[0], segment="Champions")
    assert f"the {len(then)} customers" in notice["text"]
    moves = cx.state_transitions(cx.attitude_states(then, orders, as_of=days))
    found = moves.set_index(["state", "next_state"])["customers"]
    shown = rows_of(champions, "transitions_state").set_index(["state", "next_state"])["customers"]
    assert len(shown) >= 2
    assert found[shown.index].tolist() == shown.tolist()
    now = rows_of(champions, "prevalence_lifecycle")
    assert now["lifecycle"].tolist() == ["repeater"]


def test_what_a_segment_buys_next_is_that_of_those_in_it_on_the_test_day(company, champions):
    data_set = cx.open_data(company)
    orders, start = data_set.table("orders"), pd.Timestamp(data_set.as_of) - pd.Timedelta(days=90)
    then = cx.choose_customers(data_set.table("customers"), orders, as_of=start, segment="Champions")
    theirs = orders[orders["customer_id"].isin(then["customer_id"])]
    hits = cx.next_purchase_hits(cx.purchase_pairs(theirs, dimension="brand"), start=start)
    shown = rows_of(champions, "next_purchase").query("dimension == 'brand'")
    assert shown["n"].tolist() == hits["n"].tolist()
    assert shown["estimate"].tolist() == pytest.approx(hits["estimate"].tolist())


def test_a_report_on_one_segment_counts_its_customers(champions):
    growth = rows_of(champions, "growth")
    assert growth["segment"].tolist() == ["Champions"]
    assert f"n = {int(growth['n'].item()):,}" in champions["figure"]["growth"][0]["source"]
    (told,) = [
        records[0] for key, records in champions["finding"].items() if key == "segmentation.growth[kind=own]"
    ]
    assert "corrected" not in told["text"]


@pytest.mark.long
def test_horizons_that_the_rules_decide_are_left_out_and_named(everybody):
    assert "convinced" not in set(rows_of(everybody, "time_in_state")["state"])
    assert "repeater" not in set(rows_of(everybody, "time_in_lifecycle")["lifecycle"])
    notices = everybody["notice"]
    kept = {key: records for key, records in notices.items() if key.startswith("segmentation.stays_at_")}
    assert {key.split("[")[1] for key in kept} == {"scheme=lifecycle]", "scheme=state]"}
    said = " ".join(record["text"] for records in kept.values() for record in records)
    assert "365" in said


def test_preferences_say_for_how_many_there_are_enough_purchases(everybody):
    found = everybody["finding"]
    known = [records[0] for key, records in found.items() if key.startswith("segmentation.ctb_known[")]
    assert sum(len(record["values"]["each_dimension"]) for record in known) == 3
    assert len({record["text"].split(": ", 1)[1] for record in known}) == len(known)
    table = rows_of(everybody, "ctb_customers")
    assert {"dominant", "share_shrunk", "concentration", "n_enough"} <= set(table.columns)
    for record in known:
        values = record["values"]
        assert values["conf_low"] <= values["estimate"] <= values["conf_high"]


def test_moves_between_values_have_support_and_lift(everybody):
    moves = rows_of(everybody, "next_moves")
    assert set(moves["dimension"]) == {"category", "taste", "brand"}
    assert (moves["customers"] >= 10).all()
    assert (moves["lift_conf_low"] <= moves["lift"]).all()


def test_actions_show_what_is_at_stake_and_later_spend(everybody):
    lists, proof = rows_of(everybody, "actions"), rows_of(everybody, "action_evidence")
    lists = lists.dropna(subset=["n"])
    assert len(lists) and (lists["amount_past_year"] <= lists["amount_so_far"] + 1e-6).all()
    told = proof.set_index("action").loc["special_service"]
    assert told["conf_low"] > 0 and told["spend_gap"] > 0


#: Limits in a sentence that its verdict rests on, the first that it has.
RESTS_ON = ("ahead_conf", "beyond_conf", "conf")
SURE = {"leads", "ahead", "behind", "risen", "fallen", "differ"}


def tell_one_story(pieces):
    """No sentence claims what its limits, as they are shown, or its verdict deny; each has its own key."""
    assert pieces["finding"]
    for key, records in pieces["finding"].items():
        assert len(records) == 1, f"{key} stands for several sentences"
        (record,) = records
        values, verdict, text = record["values"], record["verdict"], record["text"]
        assert "– to –" not in text and "–～–" not in text, key
        name = next((name for name in RESTS_ON if values.get(f"{name}_low") is not None), None)
        if name and verdict in SURE | {"no_difference_shown"}:
            low, high, unit = values[f"{name}_low"], values[f"{name}_high"], record["units"][f"{name}_low"]
            side = int(cx.limits_side(low, high, unit="pp" if unit == "pp" else "number"))
            assert (side != 0) == (verdict in SURE), (key, low, high, verdict)
        if verdict == "no_difference_shown" and key.startswith("segmentation."):
            assert not any(
                word in text for word in ("foretold best", "carries the most:", "最もよく予測するのは")
            )
        if verdict in (None, "no_difference_shown"):
            assert "beyond chance, “" not in text


def test_the_report_on_everybody_tells_one_story(everybody, champions):
    tell_one_story(everybody)
    tell_one_story(champions)
    begun_before = {"segmentation.burn_in", "segmentation.unsettled"}
    assert begun_before.isdisjoint(everybody["notice"])  # the company began with its data
    (rule,) = [records[0] for key, records in everybody["finding"].items() if "rule_score" in key]
    assert "only" in rule["text"]
    assert "10%" in everybody["finding"]["segmentation.concentration"][0]["text"]
    first = rows_of(everybody, "deciles").iloc[0]
    top = everybody["finding"]["segmentation.concentration"][0]["values"]
    assert (first["n"], first["estimate"]) == (top["n"], pytest.approx(top["estimate"]))


def test_an_extract_of_eleven_months_names_season_history_and_its_middle(company, run, tmp_path):
    """Old customers look new in it, a change holds the season, and nobody can have lapsed for a year."""
    data_set = cx.open_data(company)
    begin = pd.Timestamp(data_set.as_of) - pd.Timedelta(days=330)

    def extract(orders):
        kept = orders[orders["ordered_at"].dt.tz_localize(None) >= begin]
        often = orders.groupby("customer_id")["order_id"].transform("nunique") >= 3
        early = orders["ordered_at"].dt.tz_localize(None) < begin + pd.Timedelta(days=91)
        return kept[often.reindex(kept.index) | ~early.reindex(kept.index)]  # the start holds old regulars

    pieces = run(data=changed_company(company, tmp_path / "extract", extract))
    growth = {key: records[0] for key, records in pieces["finding"].items() if "growth" in key}
    assert "follow each other" in growth["segmentation.growth_total"]["text"]
    assert all(record["verdict"] is None and "season" in record["text"] for record in growth.values())
    (lapsed,) = pieces["notice"]["segmentation.short_history[scheme=lifecycle]"]
    assert "365" in lapsed["text"]
    (middle,) = pieces["notice"]["segmentation.unsettled"]
    assert middle["level"] == "warning" and "reaches back further" in middle["text"]
    assert not any("mid_life" in key for key in pieces["finding"])  # no day to start from, no shares since it
    tell_one_story(pieces)


def changed_company(company, folder, change):
    data_set = cx.open_data(company)
    orders = change(data_set.table("orders"))
    folder.mkdir()
    orders.to_parquet(folder / "orders.parquet")
    for name in ("customers.parquet", "dataset.yml"):
        (folder / name).write_bytes((Path(company) / name).read_bytes())
    return str(folder)


@pytest.mark.long
def test_refunds_only_make_a_report_that_says_why(company, run, tmp_path):
    folder = changed_company(
        company, tmp_path / "refunds", lambda orders: orders.assign(amount=-orders["amount"].abs())
    )
    pieces = run(data=folder)
    assert "segmentation.apart" in pieces["notice"]
    for key in ("no_growth", "no_deciles", "no_ctb", "no_next", "no_moves", "no_cluster_data", "no_history"):
        assert f"segmentation.{key}" in pieces["notice"], key


@pytest.mark.long
def test_one_and_the_same_amount_has_no_deciles_and_no_decile_chart(company, run, tmp_path):
    folder = changed_company(
        company,
        tmp_path / "equal",
        lambda orders: orders.drop_duplicates("customer_id").assign(amount=1_000.0),
    )
    with (Path(folder) / "dataset.yml").open("a", encoding="utf-8") as settings:
        settings.write("one_order_per_customer: true\n")  # else such ids are taken for one per order
    pieces = run(data=folder)
    assert "segmentation.deciles_equal" in pieces["notice"]
    assert not {"deciles", "deciles_by_amount"} & set(pieces["table"])
    assert "deciles" not in pieces["figure"]
    assert "segmentation.empty_groups" in pieces["notice"]
    assert all(row["n"] is None or row["n"] >= 10 for row in pieces["table"]["segments"][0]["rows"])


def test_japanese_reports_translate_the_words_the_contract_knows(run):
    pieces = run(lang="ja", by="customer_type")
    groups, profile = pieces["table"]["groups"][0]["plain"], pieces["table"]["profile"][0]["plain"]
    assert "法人" in groups and "個人" in groups
    assert "business" not in groups + profile and "consumer" not in groups + profile
    strength = pieces["table"]["profile_strength"][0]["plain"]
    assert "言語" in strength and "メール配信の許可" in strength
    assert "0.001" in strength and "| 0.00\n" not in strength
    shares = rows_of(pieces, "group_concentration")
    assert len(shares) and "largest_share" not in shares

    said = {key for key in pieces["finding"] if key.startswith("differences")}
    assert said == {f"differences[measure={name}]" for name in ("again", "top", "middle")}
    tell_one_story(pieces)


@pytest.mark.long
def test_no_group_shows_the_share_of_a_top_of_too_few_customers(run):
    """A tenth of a group of ten is one customer, and the share of sales that customer's sales."""
    shares = rows_of(run(by="region", min_cell=40), "group_concentration")
    tops = shares[shares["metric"] == "top_share"]
    assert set(tops["region"]) < set(shares["region"])
    assert (tops["n"].dropna() * 0.1 >= 40).all()


@pytest.mark.long
def test_a_period_within_a_year_is_not_compared_with_itself(company, run, everybody):
    first = cx.open_data(company).as_of - pd.Timedelta(days=300)
    pieces = run(period_start=first)
    assert "segmentation.last_year" not in pieces["finding"]
    assert "segmentation.no_last_year" in pieces["notice"]
    assert "amount_past_year" not in rows_of(pieces, "actions")
    assert "f_score" not in pieces["table"]["schemes"][0]["plain"]
    (told,) = pieces["finding"]["segmentation.act_first"]
    assert "365" not in told["text"] and "in the chosen period" in told["text"]
    assert f"ordered again within {told['values']['days']} days" in told["text"]
    assert "segmentation.own_windows" in pieces["notice"]
    (short,) = pieces["notice"]["segmentation.short_reach"]
    assert "Hibernating" in short["text"]
    tell_one_story(pieces)
    whole = rows_of(everybody, "prevalence_lifecycle")
    pd.testing.assert_frame_equal(rows_of(pieces, "prevalence_lifecycle"), whole)  # nobody turns a new lead
