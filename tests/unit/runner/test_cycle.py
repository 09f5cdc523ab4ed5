"""A team's month: two in a row, failures, a kill, a full disk, changes, data taken back, many items."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from cxlib.runner import batch, publish
from cxlib.runner.analysis.cycle_values import end_before
from cxlib.runner.cli import main

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STAMP = re.compile(rb'<span class="stamp">.*?</span>')
REGIONS = ("Kanto", "Tokyo/Osaka", "関東")
PLAN = {
    "data": "shop",
    "languages": ["en", "ja"],
    "reports": [
        "tiny",
        {"report": "work", "each": {"initiative": "all"}},
        {"report": "tiny", "each": {"region": "all"}},
    ],
}
ITEMS = ["tiny", "work-I1", "work-I2", "tiny-Kanto", "tiny-Tokyo_Osaka-45ef", "tiny-関東"]


class Team:
    """A team's folder: data, chapters, a cycle's file; a class because tests change each of them."""

    def __init__(self, place, capsys):
        self.place, self.capsys, self.out = place, capsys, place / "out"
        self.shop, self.chapters, self.file = place / "shop", place / "chapters", place / "monthly.yml"
        shutil.copytree(NOTEBOOKS / "cycle", self.chapters)
        self.said = ""
        self.write()
        self.fill()

    def write(self, **changed):
        """Write the cycle's file."""
        self.file.write_text(yaml.safe_dump({**PLAN, **changed}, allow_unicode=True))

    def fill(self, *, until="2026-10-05", regions=REGIONS, initiatives=("I1", "I2"), few=0):
        """Write the data: an order a week, twelve customers of each region and `few` of another."""
        self.shop.mkdir(exist_ok=True)
        about = f"{{name: Tiny Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: {until}}}\n"
        (self.shop / "dataset.yml").write_text(about)
        places = [region for region in regions for _ in range(12)] + ["Nowhere"] * few
        people = [f'{i:05d},"{region}",consumer,2026-01-05' for i, region in enumerate(places)]
        days = (date.fromisoformat(until) - date(2026, 1, 5)).days
        orders = [
            f"{day},1,{day % len(people):05d},{date(2026, 1, 5) + timedelta(days=day)}T10:00:00+09:00,100"
            for day in range(0, days, 7)
        ]
        studies = [f"{one},{one} mail,2026-03-01,targeted,0,0" for one in initiatives]
        self.table("customers", "customer_id,region,customer_type,first_seen_on", people)
        self.table("orders", "order_id,line,customer_id,ordered_at,amount", orders)
        heads = "initiative_id,name,started_on,assignment,one_time_cost,monthly_cost"
        self.table("initiatives", heads, studies)

    def table(self, name, head, rows):
        (self.shop / f"{name}.csv").write_text("\n".join([head, *rows]) + "\n")

    def words(self, *words):
        return ["cycle", str(self.file), "--out", str(self.out), "--notebooks", str(self.chapters), *words]

    def cycle(self, *words):
        """Run the cycle; its exit code."""
        code = main(self.words(*words))
        captured = self.capsys.readouterr()
        self.said = captured.out + captured.err
        return code

    @property
    def runs(self):
        return sorted(self.out.glob("2*"))

    def record(self, place=-1):
        return json.loads((self.runs[place] / "run.json").read_text())

    def statuses(self, place=-1):
        return {item: entry["status"] for item, entry in self.record(place)["reports"].items()}

    def made(self):
        """What was computed since the last time it was asked."""
        file = self.place / "count"
        found = sorted(file.read_text().splitlines()) if file.exists() else []
        file.unlink(missing_ok=True)
        return found


@pytest.fixture
def team(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CX_TEST_COUNT", str(tmp_path / "count"))
    return Team(tmp_path, capsys)


def test_one_computation_gives_both_languages_and_a_second_run_nothing(team):
    assert team.cycle() == 0, team.said
    everything = [f"tiny {w}" for w in (None, *(f"region={one}" for one in REGIONS))] + [
        "work I1",
        "work I2",
    ]
    assert team.made() == sorted(everything), "once each, whatever the languages"
    record, folder = team.record(), team.runs[0]
    assert list(record["reports"]) == ITEMS and set(team.statuses().values()) == {"ok"}
    assert record["cycle"] | {"signature": ""} == {
        "name": "monthly",
        "as_of": "2026-09-30",
        "signature": "",
        "left_out": {},
        "before": None,
    }
    for item in ITEMS:
        entry = record["reports"][item]
        assert entry["languages"] == ["en", "ja"] and entry["as_of"] == "2026-09-30"
        texts = [(folder / entry["pages"][lang]).read_text() for lang in ("en", "ja")]
        assert "40 orders" in texts[0] or "39 orders" in texts[0]
        assert "売上" in texts[1] and "Sales" not in texts[1] and '<html lang="ja">' in texts[1]
    assert record["reports"]["tiny-Tokyo_Osaka-45ef"]["parameters"]["where"] == "region=Tokyo/Osaka"
    assert record["reports"]["tiny-Tokyo_Osaka-45ef"]["title"] == "Sales · Tokyo/Osaka"
    assert record["reports"]["tiny-関東"]["titles"] == {"en": "Sales · 関東", "ja": "売上 · 関東"}
    html = (team.out / "index.html").read_text()
    assert "monthly" in html and "日本語" in html and "tiny-%E9%96%A2%E6%9D%B1_ja.html" in html

    assert team.cycle() == 0
    assert "Nothing changed" in team.said and len(team.runs) == 1 and team.made() == []


@pytest.mark.parametrize("as_of", ["2026-09-30", None])
def test_a_page_of_a_second_language_is_that_of_a_run_in_it(as_of, team):
    shutil.copytree(
        team.shop, team.chapters / "data"
    )  # the chapters' own default: nothing but the language set
    team.write(reports=["tiny"], data="chapters/data", as_of=as_of or "extraction")
    assert team.cycle() == 0 and team.made() == ["tiny None"]
    words = ["run", "tiny", "--lang", "ja", *(["-p", f"as_of={as_of}"] if as_of else [])]
    assert main([*words, "--notebooks", str(team.chapters), "--out", str(team.place / "alone")]) == 0
    (alone,) = (team.place / "alone").glob("2*")
    for ours, theirs in (("tiny_ja.html", "tiny.html"), ("tiny_ja.ipynb", "tiny.ipynb")):
        both = [STAMP.sub(b"", file.read_bytes()) for file in (team.runs[0] / ours, alone / theirs)]
        assert both[0] == both[1]


def test_two_months_in_a_row_and_data_taken_back(team):
    team.write(languages=["en"], reports=["tiny"], compare="last_run")
    team.fill(until="2026-08-03")
    assert team.cycle() == 0 and team.record()["cycle"]["as_of"] == "2026-07-31"
    first = {path.name: path.read_bytes() for path in team.shop.iterdir()}
    team.fill(until="2026-09-02")
    assert team.cycle() == 0 and team.record()["cycle"]["as_of"] == "2026-08-31"
    (page,) = team.out.glob("compare/*/compare.html")
    assert str(page) in team.said and "2026" in page.read_text()
    html = (team.out / "index.html").read_text()
    assert html.index("verdict was: ") < html.index(">new<"), "fewer than 31 orders, then more"
    assert len(team.made()) == 2

    for name, content in first.items():
        (team.shop / name).write_bytes(content)
    assert team.cycle() == 0 and team.made() == []
    assert "before 2026-08-31" in team.said and "taken back?" in team.said
    assert len(team.runs) == 3 and team.record()["reports"]["tiny"]["made_in"] == team.runs[0].name
    assert "unchanged, made in" in (team.out / "index.html").read_text()


def test_a_failed_item_voids_no_other_and_is_made_alone_the_next_time(team, monkeypatch):
    monkeypatch.setenv("CX_TEST_FAILS", "I2")
    assert team.cycle() == 5
    assert "work-I2 stopped" in team.said and "Published: 5 of 6 reports; failed 1" in team.said
    assert team.statuses() == {item: "failed" if item == "work-I2" else "ok" for item in ITEMS}
    team.made()
    assert team.cycle() == 5 and team.made() == ["work I2"] and len(team.runs) == 1, "nothing new to publish"
    monkeypatch.delenv("CX_TEST_FAILS")
    assert team.cycle() == 0 and team.made() == ["work I2"]
    assert set(team.statuses().values()) == {"ok"} and list(team.statuses()) == ITEMS
    assert "taken over: 5 of 6" in team.said


def test_a_killed_cycle_goes_on_where_it_stopped(team, monkeypatch):
    monkeypatch.setenv("CX_TEST_SLEEPS", "I2")
    team.write(reports=[PLAN["reports"][1]], languages=["en"])
    command = [sys.executable, "-m", "cxlib.runner.cli", *team.words("--jobs", "1")]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline, count = time.monotonic() + 90, team.place / "count"
    while time.monotonic() < deadline and not (count.exists() and "work I2" in count.read_text()):
        time.sleep(0.05)
    assert team.cycle() == 7, "two cycles at once"
    assert "Another run" in team.said
    run.send_signal(signal.SIGKILL)
    run.wait(30)
    assert team.made() == ["work I1", "work I2"] and not team.runs
    monkeypatch.delenv("CX_TEST_SLEEPS")
    assert team.cycle() == 0 and team.made() == ["work I2"]
    assert [team.statuses(place) for place in (0, 1)] == [
        {"work-I1": "ok", "work-I2": "missing"},
        {"work-I1": "ok", "work-I2": "ok"},
    ]
    assert not list(team.out.glob(".building*"))


def test_a_full_disk_leaves_nothing_half_published(team, monkeypatch):
    write = publish.write_synced

    def refuse(path, content):
        if path.name == "work-I2_ja.html":
            write(path, content[:9])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr(publish, "write_synced", refuse)
    team.write(reports=PLAN["reports"][:2])
    assert team.cycle("--jobs", "1") == 6
    assert "is full" in team.said
    assert team.statuses() == {"tiny": "ok", "work-I1": "ok", "work-I2": "missing"}
    assert "work-I2" not in (team.out / "index.html").read_text()
    monkeypatch.undo()
    assert team.cycle() == 0 and set(team.statuses().values()) == {"ok"}


def test_what_changed_decides_what_is_made_again(team):
    team.write(languages=["en"])
    assert team.cycle() == 0
    team.made()
    chapter = team.chapters / "02_work.ipynb"
    chapter.write_text(chapter.read_text().replace('\\"more\\" if', '\\"risen\\" if'))
    assert team.cycle() == 0 and team.made() == ["work I1", "work I2"], "a chapter"
    team.write(
        languages=["en"],
        reports=[*PLAN["reports"][:2], {**PLAN["reports"][2], "parameters": {"min_cell": 12}}],
    )
    assert team.cycle() == 0
    assert team.made() == [f"tiny region={one}" for one in REGIONS], "a parameter"
    (team.shop / "decisions.yml").write_text("decisions: []\n")
    assert team.cycle() == 0 and team.made() == [], "the team's decisions"
    assert len(team.runs) == 4, "whose page may be another"
    (team.shop / "rules").mkdir()
    (team.shop / "rules" / "targets.yml").write_text("targets: []\n")
    assert team.cycle() == 0 and len(team.made()) == 6, "a rule"


def test_300_items_ask_before_and_have_names_of_their_own(team, monkeypatch):
    regions = [f"{kind}{number}" for number in range(100) for kind in ("a/", "a:", "A/")]
    team.fill(regions=regions)
    team.write(reports=[PLAN["reports"][2]])
    assert team.cycle() == 2
    assert "asks for: 200, more than its limit of 100" in team.said and not team.out.exists(), (
        "a/ and A/ are one"
    )
    assert team.cycle("--dry-run", "--yes") == 0 and team.said.count("would run") == 200
    team.fill(regions=[f"{kind}{number}" for number in range(100) for kind in ("a/", "a:", "b/")])
    empty = {"header": {}, "tables": {}, "findings": {}, "figures": {}, "notices": {}}
    monkeypatch.setattr(batch, "_run_all", lambda plans, *_: [one.results.update(empty) for one in plans])
    assert team.cycle("--yes") == 0
    items = list(team.statuses())
    assert len({item.casefold() for item in items}) == len(items) == 300
    assert all(re.fullmatch(r"tiny-[ab]_\d+-[0-9a-f]{4}", item) for item in items)
    assert len((team.out / "index.html").read_text()) < 400_000


def test_values_that_few_share_are_left_out_and_never_named(team):
    team.fill(few=4)
    team.write(reports=[PLAN["reports"][2]])
    assert team.cycle("--dry-run") == 0
    assert "`region`: 1 of its values left out" in team.said and "Nowhere" not in team.said


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"langauges": ["en"]}, 3, "languages"),
        ({"as_of": "monthly"}, 3, "month_end, quarter_end, extraction"),
        ({"as_of": "2026-02-30"}, 3, "as_of"),
        ({"as_of": "2030-01-31"}, 2, "2026-10-05"),
        ({"as_of": "2020-01-31"}, 2, "2026-01-05"),
        ({"data": "nowhere"}, 3, "data"),
        ({"languages": ["fr"]}, 3, "languages"),
        ({"reports": ["tin"]}, 2, "tiny"),
        ({"reports": []}, 3, "reports"),
        ({"reports": [{"report": "tiny", "each": {"regio": "all"}}]}, 2, "region"),
        ({"reports": [{"report": "tiny", "each": {"region": ["Kantou"]}}]}, 2, "Kanto"),
        ({"reports": [{"report": "work", "each": {"initiative": ["I9"]}}]}, 2, "I1, I2"),
        ({"reports": [{"report": "work", "each": {"region": "all"}}]}, 2, "where"),
        ({"reports": ["tiny", "tiny"]}, 3, "`id`"),
        ({"parameters": {"min_sell": 12}}, 2, "min_cell"),
        ({"parameters": {"where": "region=Kanto"}}, 2, "region"),
        ({"accept": ["failures"]}, 3, "accept"),
        ({"alerts": "always"}, 3, "alerts"),
        ({"history": True}, 3, "history: needs the key figures of `scorecard`"),
        ({"compare": "last_run", "alerts": "all"}, 3, "alerts: needs"),
        ({"shared": True, "compare": "last_run"}, 3, "compare would need"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_anything_runs(changed, code, said, team):
    team.write(**changed)
    assert team.cycle() == code
    assert said in team.said and "Traceback" not in team.said and not team.out.exists()


def test_the_file_we_ship_fits_the_chapters_and_the_sample(tmp_path, capsys):
    file = NOTEBOOKS.parents[1] / "reports" / "cycle.yml"
    assert main(["cycle", str(file), "--dry-run", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert {"initiative_roi-I4: would run", "segmentation-Kanto: would run"} <= set(told)


def test_a_file_that_is_none_is_refused(team):
    team.file.write_text("data: [")
    assert team.cycle() == 3 and "monthly.yml" in team.said
    team.file.unlink()
    assert team.cycle("--lang", "ja") == 3 and "monthly.yml" in team.said


@pytest.mark.parametrize(
    ("as_of", "day"), [("quarter_end", "2026-09-30"), ("extraction", "2026-10-05"), ("2026-06-30",) * 2]
)
def test_the_last_day_is_a_months_a_quarters_the_datas_or_given(as_of, day, team, monkeypatch):
    empty = {"header": {}, "tables": {}, "findings": {}, "figures": {}, "notices": {}}
    monkeypatch.setattr(batch, "_run_all", lambda plans, *_: [one.results.update(empty) for one in plans])
    team.write(as_of=as_of, reports=["tiny"])
    assert team.cycle() == 0 and team.record()["cycle"]["as_of"] == day
    assert team.record()["reports"]["tiny"]["parameters"]["as_of"] == (None if as_of == "extraction" else day)


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("2026-10-05", 4, "2026-09-30"),
        ("2026-10-05", 3, "2026-08-31"),
        ("2026-11-30", 12, "2026-11-30"),
        ("2026-01-31", 2, "2026-01-31"),
        ("2026-01-30", 2, "2025-10-31"),
        ("2026-02-27", 12, "2025-11-30"),
    ],
)
def test_a_quarter_is_one_of_the_companys_year(day, start, end):
    found = end_before(date.fromisoformat(day), months=3, year_start=start)
    assert found.isoformat() == end


def test_the_data_say_when_the_companys_year_starts(team, monkeypatch):
    empty = {"header": {}, "tables": {}, "findings": {}, "figures": {}, "notices": {}}
    monkeypatch.setattr(batch, "_run_all", lambda plans, *_: [one.results.update(empty) for one in plans])
    about = team.shop / "dataset.yml"
    about.write_text(about.read_text().replace("}", ", fiscal_year_start: 3}"))
    team.write(as_of="quarter_end", reports=["tiny"])
    assert team.cycle() == 0 and team.record()["cycle"]["as_of"] == "2026-08-31"


def test_lack_of_data_is_accepted_where_the_file_says_so(team):
    shutil.copy(NOTEBOOKS / "faults" / "not_enough.ipynb", team.chapters)
    team.write(reports=["not_enough"], languages=["en"])
    assert team.cycle() == 4
    team.write(reports=["not_enough"], languages=["en"], accept=["not_enough_data"])
    assert team.cycle() == 0 and "not enough data" in team.said


def test_delivery_is_the_companys_own_command_and_is_tried_again_until_it_worked(team, monkeypatch):
    empty = {"header": {}, "tables": {}, "findings": {}, "figures": {}, "notices": {}}
    monkeypatch.setattr(batch, "_run_all", lambda plans, *_: [one.results.update(empty) for one in plans])
    told, code = team.place / "told", "import os; open('told', 'a').write(os.environ['CX_RUN'] + '\\n')"
    team.write(reports=["tiny"], deliver=[sys.executable, "-c", f"{code}; assert os.path.exists('ready')"])
    assert team.cycle() == 6
    assert "published, but" in team.said and told.read_text().split() == [str(team.runs[0])]
    assert team.cycle() == 6 and len(team.runs) == 1
    (team.place / "ready").touch()
    assert team.cycle() == 0 and "Delivered" in team.said
    assert team.cycle() == 0 and len(told.read_text().split()) == 3, "once it worked, not again"
