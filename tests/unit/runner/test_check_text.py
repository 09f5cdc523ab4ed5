import pytest

from cxlib.runner.check_text import check_text
from cxlib.runner.cli import main
from cxlib.runner.run_files import read_run
from cxlib.runner.text_numbers import read_numbers

KEPT = ("kpis", "drivers", "initiatives", "decide")


def numbers(text):
    return [(one.value, one.step, one.kind) for one in read_numbers(text)[0]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("41.0% of them", [(41.0, 0.1, "percent")]),
        ("28.0–42.4 percent", [(28.0, 0.1, "percent"), (42.4, 0.1, "percent")]),
        ("between 7.5 and 24.8%", [(7.5, 0.1, "percent"), (24.8, 0.1, "percent")]),
        ("39.4%～42.7%", [(39.4, 0.1, "percent"), (42.7, 0.1, "percent")]),
        ("¥21.4 million", [(21.4e6, 1e5, "money")]),
        ("2 to 3 million yen", [(2e6, 1e6, "money"), (3e6, 1e6, "money")]),
        ("2,142万円", [(21.42e6, 1e4, "money")]),
        ("2,141万6,423円", [(21416423.0, 1.0, "money")]),
        ("1億2,345万円", [(123.45e6, 1e4, "money")]),
        ("１２．５％", [(12.5, 0.1, "percent")]),
        ("4割", [(40.0, 10.0, "percent")]),
        ("+5.1 pp, 14.4ポイント", [(5.1, 0.1, "points"), (14.4, 0.1, "points")]),
        ("180日以内、12か月、69人", [(180.0, 1.0, "days"), (12.0, 1.0, "months"), (69.0, 1.0, "count")]),
        ("a 30-day window of 1,047 customers", [(30.0, 1.0, "days"), (1047.0, 1.0, "count")]),
        ("3-5 days", [(3.0, 1.0, "days"), (5.0, 1.0, "days")]),
        ("1. First, F2 of Q3 in chapter 2, the 3rd, 第2四半期の3位 `-p n=7` http://x.y/1 at 10:30", []),
        ("F2は41%、F2は7割5分", [(41.0, 1.0, "percent"), (75.0, 1.0, "percent")]),
        ("購入F2は41.1％、5ppの改善", [(41.1, 0.1, "percent"), (5.0, 1.0, "points")]),
        ("NPS57と34人が", [(57.0, 1.0, "points"), (34.0, 1.0, "count")]),
        ("-14.4 percentage points", [(14.4, 0.1, "points")]),
        ("5.1 pp (3.2 to 7.0)", [(5.1, 0.1, "points"), (3.2, 0.1, "points"), (7.0, 0.1, "points")]),
        ("¥9.4 million (6.3–12.4)", [(9.4e6, 1e5, "money"), (6.3e6, 1e5, "money"), (12.4e6, 1e5, "money")]),
        ("41.0% (1,659)", [(41.0, 0.1, "percent"), (1659.0, 1.0, "")]),
        ("12 345 or 12'345 or 12\u202f345 yen", [(12345.0, 1.0, "")] * 2 + [(12345.0, 1.0, "money")]),
        ("in 2026 120 answers", [(120.0, 1.0, "count")]),
        (
            "12.3 k customers, JPY 1,200, 2.5倍",
            [(12300, 100, "count"), (1200, 1, "money"), (2.5, 0.1, "times")],
        ),
        (
            "A third of them, three quarters of orders, 三分の一",
            [(33, 1, "percent"), (75, 1, "percent"), (33, 1, "percent")],
        ),
        (
            "half of them, one in five customers, 半数が",
            [(50, 1, "percent"), (20, 1, "percent"), (50, 1, "percent")],
        ),
        (
            "twenty-five percent, twice as often, 四割五分、二倍、一割",
            [(25, 1, "percent"), (2, 1, "times"), (45, 1, "percent"), (2, 1, "times"), (10, 10, "percent")],
        ),
        ("三百五十人と五百万円", [(350, 1, "count"), (5e6, 1e4, "money")]),
        (
            "the second half of the year, one customer, 数百人、一人あたり、もう一回、十分な、第三四半期",
            [],
        ),
        ("NPS 34 %, NPS（最新）は34", [(34.0, 1.0, "no_share"), (34.0, 1.0, "points")]),
        ("## 2.1 Results\n(3) run 20260930-010203, results.json, table 4", []),
    ],
)
def test_numbers_are_read_with_their_unit_and_rounding(text, found):
    assert numbers(text) == [(pytest.approx(value), pytest.approx(step), kind) for value, step, kind in found]


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("-14.4 pp", "-"),
        ("−14.4 pp", "-"),
        ("¥-500", "-"),
        ("+3%", "+"),
        ("- 30 days", ""),
        ("NPSは-18.9", "-"),
        ("▲18.9", "-"),
        ("▲ 18.9%", ""),
        ("minus 18.9", "-"),
        ("マイナス5", "-"),
    ],
)
def test_a_sign_is_one_that_touches_its_number(text, sign):
    assert [one.sign for one in read_numbers(text)[0]] == [sign]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("by Oct 15, 2026", (2026, 10, 15)),
        ("15 October 2026", (2026, 10, 15)),
        ("2026-10-15", (2026, 10, 15)),
        ("2026年10月15日", (2026, 10, 15)),
        ("令和8年10月15日", (2026, 10, 15)),
        ("令和元年", (2019, None, None)),
        ("二〇二六年", (2026, None, None)),
        ("10月15日まで", (None, 10, 15)),
        ("2026年10月", (2026, 10, None)),
        ("October 2026", (2026, 10, None)),
        ("10/15/2026", (2026, 10, 15)),
        ("15.10.2026", (2026, 15, 10)),
        ("in 2026", (2026, None, None)),
    ],
)
def test_days_are_no_numbers(text, day):
    found, days = read_numbers(text)
    assert found == [] and [one[2:] for one in days] == [day]


@pytest.fixture
def run(stored_run):
    """Return a run of the tables named here, so that figures which join the chapter are never the nearest."""

    def only(results):
        tables = results["scorecard"]["tables"]
        results["scorecard"]["tables"] = {name: tables[name] for name in KEPT}

    folder = stored_run(change=only)
    return read_run(folder, folder.parent)


@pytest.mark.parametrize(
    "text",
    [
        "Second purchases: 41.0% (39.4 to 42.7), 41 %, 40.98 %, 約4割, 41%.",
        "売上は21,416,423円、約2,142万円、2,141.6万円、21.4 million yen、¥21m。",
        "They buy again 14.4 points less often (-18.9 to -9.9 pp; −14 pp) within 180 days.",
        "NPS 22.1 (16.3–27.7), target 20, 692 answers, at the 95% level, in 30 days.",
        "As of Sep 30, 2026, compared with 2026年6月30日; act by October 15. September 2026, in 2025.",
        "ROI 188 %, 1.88; importance 35.3%, 0.35.",
        "Act by 10/15/2026 or 15.10.2026; sales of 21 416 423 yen.",
        "No number at all.",
    ],
)
def test_numbers_of_the_run_are_founded_at_any_rounding(run, text):
    assert check_text(text, run)[1] == []


@pytest.mark.parametrize(
    ("text", "number", "nearest"),
    [
        ("F2 is 43.1%.", "43.1%", "42.7%"),
        ("再購入は43.1%です。", "43.1%", "42.7%"),
        ("Sales: 2,150万円", "2,150万円", "¥21,4"),
        ("They buy +14.4 points more.", "+14.4 points", "change"),
        ("Sales of ¥41", "¥41", "¥"),
        ("As of 2026-08-31", "2026-08-31", "2026-09"),
        ("2019年の売上", "2019年", "2024"),
        ("due 10/16/2026", "10/16/2026", "2026"),
        ("NPS 41 %", "41 %", ""),
        ("NPS: 41", "41", ""),
        ("F2は43.1%です", "43.1%", "42.7%"),
        ("NPSは-22.1", "-22.1", ""),
        ("within 692 days", "692 days", ""),
        ("The number 7654321.", "7654321", ""),
        ("41.3% of 4,001 customers", "41.3%", "41.0%"),
    ],
)
def test_another_number_is_refused_with_its_line_and_the_nearest_figure(run, text, number, nearest):
    found = check_text(f"\n{text}", run)[1]
    assert found[0].line == 2 and found[0].written == number and nearest in found[0].nearest


def test_about_lets_zeros_be_rounding_and_no_more(run):
    assert check_text("約2,100万円, about 700 answers", run)[1] == []
    assert len(check_text("2,100万円, about 30 million yen", run)[1]) == 2


def test_the_pages_own_texts_pass(stored_run):
    from cxlib.runner.board import board_text

    folder = stored_run()
    run = read_run(folder, folder.parent)
    for lang in ("en", "ja"):
        looked_at, unfounded = check_text(board_text(run.results, lang), run)
        assert looked_at > 30 and unfounded == []


def test_the_command_refuses_with_an_exit_code_of_its_own(stored_run, tmp_path, capsys):
    folder, text = stored_run(), tmp_path / "mail.md"
    text.write_text("NPS 22.1\nCSAT 61.7%\n", encoding="utf-8")
    assert main(["check-text", str(text), str(folder), "--lang", "ja"]) == 9
    assert "2行目：「61.7%」" in capsys.readouterr().out
    text.write_text("NPS 22.1\n", encoding="utf-8")
    assert main(["check-text", str(text), str(folder)]) == 0
    for bad in (b"\xff\xfe\x00", None):
        if bad is None:
            text.unlink()
        else:
            text.write_bytes(bad)
        assert main(["check-text", str(text), str(folder)]) == 2
