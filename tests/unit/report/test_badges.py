import re
from pathlib import Path

import pandas as pd
import pytest

from cxlib.language import catalogue, text
from cxlib.report.badges import SHAPES, TONES, tone_of, with_shape
from cxlib.report.layout import Layout, Style, lay_out
from cxlib.report.markup import sentence_html

GUIDE = Path(__file__).parents[3] / "CONTRIBUTING.md"


@pytest.mark.parametrize("area", ["verdict", "level"])
def test_no_verdict_and_no_level_lacks_a_tone(area):
    named = {key.removeprefix(f"{area}.") for key in catalogue() if key.startswith(f"{area}.")}
    assert named and sorted(named - set(TONES)) == []


def test_every_tone_has_a_shape_of_its_own_and_a_word():
    assert set(TONES.values()) == set(SHAPES) and len(set(SHAPES.values())) == len(SHAPES)
    for lang in ("en", "ja"):
        words = [text(f"tone.{tone}", lang) for tone, shape in SHAPES.items() if shape]
        assert len(set(words)) == len(words)


def test_a_word_stands_in_one_tone_only():
    source = Path(tone_of.__code__.co_filename).read_text(encoding="utf-8")
    table = source.split("for tone, verdicts in {")[1].split("}.items()")[0]
    words = re.findall(r"\b[a-z_]+\b", re.sub(r'"\w+":', "", table))
    assert sorted(words) == sorted(TONES)


def test_the_guide_shows_the_same_table():
    rows = re.findall(r"^\| (.*?) \| (\w+) \| (`.*`) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {tone: (shape.strip(), re.findall(r"`(\w+)`", words)) for shape, tone, words in rows}
    expected = {
        tone: (shape, sorted(verdict for verdict in TONES if TONES[verdict] == tone))
        for tone, shape in SHAPES.items()
    }
    assert shown == expected


def test_harm_shouts_and_what_is_open_does_not_look_good():
    assert {tone_of(verdict) for verdict in ("harmful", "stop", "valley", "repair")} == {"alarm"}
    assert {tone_of(verdict) for verdict in ("not_shown", "no_difference_shown", "too_early")} == {
        "undecided"
    }
    assert tone_of("of_a_later_chapter") == "info"


@pytest.mark.parametrize(
    ("verdict", "tone", "badge"),
    [("stop", "alarm", "■ Word"), ("not_enough_data", "undecided", "◐ Word"), ("differ", "info", "Word")],
)
def test_a_sentence_carries_shape_and_word_beside_its_colour(verdict, tone, badge):
    html = sentence_html("Sentence", kind="finding", badge="Word", verdict=verdict)
    assert f'<strong class="cx-badge cx-tone-{tone}">{badge}</strong>' in html
    assert f'class="cx-finding cx-tone-{tone} ' in html
    assert "cx-badge" not in sentence_html("Sentence", kind="finding")


def test_a_verdict_in_a_table_carries_its_shape_and_other_words_do_not():
    frame = pd.DataFrame({"verdict": ["effective"], "next_step": ["stop"], "reason": ["stop"]})
    labels = {"verdict": {"effective": "Works"}, "next_step": {"stop": "End"}, "reason": {"stop": "End"}}
    units = dict.fromkeys(frame, "text")
    layout = Layout(frame, units, labels, [False], Style("en", None, 0.95, 10))
    assert [cell.text for cell in lay_out(layout)[1][0]] == ["● Works", "■ End", "End"]
    assert with_shape("differ", "Differ") == "Differ"
