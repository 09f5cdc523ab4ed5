import base64

from cxlib.runner.board_pictures import bars, curve

HOSTILE = '"/><script>x</script>'


def test_a_picture_is_an_image_with_its_words_and_no_element_of_anyones():
    rows = [{"estimate": 0.5, "words": {"segment": HOSTILE}}]
    drawn = bars(rows, "segment", ("estimate",), lambda value, unit: f"{value:.0%}")
    kind, code = drawn.src.split(",")
    picture = base64.b64decode(code).decode()
    assert kind == "data:image/svg+xml;base64"
    assert "<script" not in picture and "50%" in picture
    assert drawn.alt == f"{HOSTILE[:15]}… · 50%"


def test_nothing_to_draw_is_no_picture():
    assert bars([], "segment", ("estimate",), str) is None
    assert curve([{"estimate": 1.0}], str) is None
