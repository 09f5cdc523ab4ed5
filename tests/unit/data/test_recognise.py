"""Known exports are recognised by their headers; what fits two mappings or none is said, never guessed."""

import os
import shutil
import stat

import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.data.exports import recognise as module
from cxlib.data.exports.mapping import read_mapping
from cxlib.data.exports.pseudonym_key import own_key
from cxlib.data.exports.recognise import recognise
from cxlib.data.tables.data_set import open_data
from cxlib.runner.cli import main

SHOP = """
data_set: {name: Shop, currency: JPY, timezone: Asia/Tokyo}
tables:
  orders:
    file: orders.csv
    columns:
      order_id: {from: order}
      line: {row_within: [order]}
      customer_id: {from: mail, pseudonymise: ignore_case}
      ordered_at: {from: at}
      amount: {from: total}
"""
ORDERS = "order,mail,at,total\n1,a@b.jp,2026-09-01,10\n1,a@b.jp,2026-09-01,5\n2,C@d.jp,2026-09-02,7\n"
LINK = """
  customers:
    file: people.csv
    lookup: [{file: regions.csv, on: mail, columns: [region]}]
    columns:
      customer_id: {from: mail, pseudonymise: ignore_case}
      first_seen_on: {from: since}
      customer_type: {const: consumer}
      region: {from: region}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Folder for an export, and ready mappings of our own: `place("shop", text)` adds one."""
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    ready = tmp_path / "ready"
    ready.mkdir()
    monkeypatch.setattr(module, "READY", ready)
    (tmp_path / "export").mkdir()

    def add(name, content):
        (ready / f"{name}.yml").write_text(content, encoding="utf-8")

    add("shop", SHOP)
    add.export, add.target = tmp_path / "export", tmp_path / "my_shop"
    return add


def test_a_file_is_known_by_its_header_whatever_it_is_called(place, capsys):
    (place.export / "注文 9月.csv").write_text(ORDERS)
    (place.export / "holiday.txt").write_text("nothing of the kind\n")
    (place.export / ".hidden.csv").write_text(ORDERS)
    assert main(["import", "--from", str(place.export), "--to", str(place.target)]) == 0
    said = capsys.readouterr().out
    assert "shop: 注文 9月.csv" in said
    assert "Not understood, not read: holiday.txt" in said
    assert "hidden" not in said
    data_set = open_data(place.target)
    assert data_set.table("orders")["amount"].sum() == 22
    assert data_set.settings.extracted.isoformat()[:10] == "2026-09-02"


def test_several_files_of_one_kind_are_read_end_to_end(place):
    (place.export / "a.csv").write_text(ORDERS)
    (place.export / "b.csv").write_text(
        ORDERS.replace("1,a", "3,a").replace("2,C", "4,C").replace("09-0", "08-0")
    )
    found = recognise(place.export)
    assert found.taken == {"shop": ["a.csv", "b.csv"]}
    main(["import", "--from", str(place.export), "--to", str(place.target)])
    assert open_data(place.target).table("orders")["order_id"].nunique() == 4


def test_an_encoding_other_than_usual_is_tried(place):
    (place.export / "a.csv").write_text(ORDERS.replace("2,C", "二,C"), encoding="cp932")
    assert main(["import", "--from", str(place.export), "--to", str(place.target)]) == 0
    assert "二" in set(open_data(place.target).table("orders")["order_id"])


@pytest.mark.parametrize(("encoding", "sign"), [("utf-16", "\t"), ("utf-8-sig", ";"), ("cp932", "\t")])
def test_a_delimiter_other_than_usual_is_known_by_the_header(place, encoding, sign):
    (place.export / "o.csv").write_bytes(ORDERS.replace(",", sign).encode(encoding))
    assert main(["import", "--from", str(place.export), "--to", str(place.target)]) == 0
    assert open_data(place.target).table("orders")["amount"].sum() == 22


def test_what_no_mapping_fits_is_said_with_what_is_lacking(place, capsys):
    (place.export / "a.csv").write_text(ORDERS.replace("total", "sum"))
    with pytest.raises(InputError, match="shop, but lacks `total`") as told:
        recognise(place.export)
    assert "cx mapping new" in str(told.value)
    assert "見出し" in told.value.in_language("ja")
    (place.export / "a.csv").unlink()
    with pytest.raises(InputError):
        recognise(place.export)
    with pytest.raises(InputError, match="--from"):
        recognise(place.export / "nowhere")


def test_two_mappings_that_fit_equally_are_refused_and_the_larger_one_wins(place):
    place("other", SHOP.replace("Shop", "Other"))
    (place.export / "a.csv").write_text(ORDERS)
    with pytest.raises(InputError, match="other, shop"):
        recognise(place.export)
    assert list(recognise(place.export, ["other"]).taken) == ["other"]
    place("other", SHOP.replace("Shop", "Other") + "    extra: {store: {from: store}}\n")
    assert list(recognise(place.export).taken) == ["shop"]
    (place.export / "a.csv").write_text(ORDERS.replace("\n", ",x\n").replace("total,x", "total,store"))
    assert list(recognise(place.export).taken) == ["other"]


def test_a_ready_mapping_is_chosen_by_its_name(place):
    (place.export / "a.csv").write_text(ORDERS)
    words = ["--from", str(place.export), "--to", str(place.target)]
    assert main(["import", "shop", *words]) == 0
    assert main(["import", "shopp", *words]) == 2
    with pytest.raises(ParameterError, match="shop"):
        recognise(place.export, ["shopp"])


def test_blocks_without_their_file_are_left_out_but_a_lookup_is_needed(place):
    place("shop", SHOP + LINK)
    (place.export / "a.csv").write_text(ORDERS)
    assert list(recognise(place.export).plan.tables) == ["orders"]
    (place.export / "p.csv").write_text("mail,since\na@b.jp,2026-01-01\nc@d.jp,2026-01-02\n")
    with pytest.raises(InputError, match="mail, region"):
        recognise(place.export)
    (place.export / "r.csv").write_text("mail,region\na@b.jp,Kanto\nc@d.jp,Kansai\n")
    found = recognise(place.export)
    assert found.taken == {"shop": ["a.csv", "p.csv", "r.csv"]}
    main(["import", "--from", str(place.export), "--to", str(place.target)])
    assert list(open_data(place.target).table("customers")["region"]) == ["Kanto", "Kansai"]


def test_two_systems_make_one_data_set_whose_customers_meet(place, capsys):
    answers = """
data_set: {name: Survey, csat_scale: [1, 3]}
tables:
  responses:
    file: answers.csv
    columns:
      response_id: {row_within: []}
      customer_id: {from: address, pseudonymise: ignore_case}
      answered_at: {from: when}
      survey: {const: relationship}
      nps_score: {from: likely}
  customers: {derive: responses}
"""
    place("survey", answers)
    place("shop", SHOP + "  customers: {derive: orders}\n")
    (place.export / "orders.csv").write_text(ORDERS)
    (place.export / "answers.csv").write_text(
        "address,when,likely\nA@b.jp,2026-09-03,9\nnew@b.jp,2026-09-04,3\n"
    )
    assert main(["import", "--from", str(place.export), "--to", str(place.target)]) == 0
    data_set = open_data(place.target)
    assert data_set.settings.name == "Shop + Survey"
    assert data_set.settings.csat_scale == (1, 3)
    assert len(data_set.table("customers")) == 3
    assert data_set.table("responses")["customer_id"].isin(data_set.table("orders")["customer_id"]).sum() == 1
    place("shop", SHOP.replace("name: Shop", "name: Shop, csat_scale: [1, 5]"))
    with pytest.raises(InputError, match="csat_scale"):
        recognise(place.export)


def test_what_a_mapping_leaves_open_is_asked_for(place, capsys):
    place("shop", SHOP.replace(", currency: JPY, timezone: Asia/Tokyo", ""))
    (place.export / "a.csv").write_text(ORDERS)
    words = ["import", "--from", str(place.export), "--to", str(place.target)]
    assert main(words) == 3
    assert "--currency" in capsys.readouterr().err
    given = [
        "--currency",
        "EUR",
        "--timezone",
        "Europe/Paris",
        "--name",
        "Boutique",
        "--extracted-at",
        "2026-10-01",
    ]
    assert main([*words, *given]) == 0
    settings = open_data(place.target).settings
    assert (settings.name, settings.currency, settings.timezone) == ("Boutique", "EUR", "Europe/Paris")
    assert settings.extracted.isoformat()[:10] == "2026-10-01"


def test_the_key_is_made_once_beside_the_target_and_kept(place, capsys, monkeypatch):
    (place.export / "a.csv").write_text(ORDERS)
    words = ["import", "--from", str(place.export), "--to", str(place.target)]
    key = place.target.with_name("my_shop.key")
    main(words)
    first, said = open_data(place.target).table("orders")["customer_id"], capsys.readouterr().out
    assert str(key) in said
    assert len(key.read_text().strip()) == 64
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert main(words) == 0
    assert list(open_data(place.target).table("orders")["customer_id"]) == list(first)
    shutil.rmtree(place.target)
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key long enough to be one")
    key.unlink()
    assert main(words) == 0
    assert not key.exists()
    monkeypatch.delenv("CX_PSEUDONYM_KEY")
    assert main(words) == 2  # made with a key that is not here: none is invented in its place
    assert not key.exists()
    assert own_key(place.target.with_name("new"))[1]


def test_a_mapping_of_ones_own_keeps_its_files_by_name(place):
    (place.export / "august.csv").write_text(ORDERS)
    own = place.export.parent / "own.yml"
    own.write_text(SHOP)
    assert main(["import", str(own), "--from", str(place.export), "--to", str(place.target)]) == 3
    assert read_mapping(own).data_set.name == "Shop"
