"""Turn whatever a notebook shows into HTML that can neither run nor load anything.

Two walls: this module keeps only harmless elements and attributes (nh3), and the page's content-security
policy forbids the rest. Text that would reorder or hide other text is made visible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Any

import nh3

MAX_TEXT = 2_000
#: Pixels of the smallest letter of a figure, however narrow the screen.
LEAST_TEXT = 9
#: Letters of a table's text that a line of an A4 sheet holds.
SHEET = 101
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
_TAG_NAMES = """a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure
h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre s small span strong sub summary sup table tbody td tfoot
th thead tr u ul"""
_TAGS = frozenset(_TAG_NAMES.split())
_PLAIN_ATTRIBUTES = {"class", "colspan", "rowspan", "scope", "title", "lang", "alt", "start", "aria-label"}
_PICTURE = re.compile(r"data:image/(svg\+xml|png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_LINK = re.compile(r"(https?://|mailto:|#)[^\s]*")
_TAG = re.compile(r"</?([A-Za-z][^\s/>]*)")
_STYLE_BLOCK = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_LONG_TEXT = re.compile(rf"(?:^|(?<=>))[^<>]{{{MAX_TEXT},}}")
_PARTIAL = re.compile(r"&[^;]{0,9}$")
_HIDDEN = re.compile(
    "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_BACKTICKS = re.compile(r"`([^`<>]{1,300})`")
_GLYPH_SCALE = re.compile(r"scale\((0\.\d+) -")
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r'<t([dh])\b[^>]*?class="cx-(\w+)"[^>]*>(.*?)</t[dh]>', re.DOTALL)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value where it may stay, or None."""
    if tag == "img" and name == "src":
        return value if _PICTURE.fullmatch(value) else None
    if tag == "a" and name == "href":
        return value if _LINK.fullmatch(value) else None
    return value


_cleaner = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(),
    attributes={"*": set(_PLAIN_ATTRIBUTES), "img": {"src"}, "a": {"href"}},
    attribute_filter=_allowed,
    url_schemes={"http", "https", "mailto", "data"},
    link_rel=None,
)


def visible(text: str) -> str:
    """Show characters that reorder or hide text as what they are, `⟨U+202E⟩`."""
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def shortened(text: str) -> str:
    """Cut a text that would fill pages."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} …"


def clean_html(html: str) -> str:
    """HTML with harmless elements only; anything else is shown as the text it is.

    Examples
    --------
    >>> clean_html('<p onclick="x()">a<script>b</script></p>')
    '<p>a&lt;script&gt;b&lt;/script&gt;</p>'
    """
    cleaned = _cleaner.clean(_TAG.sub(_shown, _STYLE_BLOCK.sub("", html)))
    cleaned = _LONG_TEXT.sub(lambda match: f"{_PARTIAL.sub('', match[0][:MAX_TEXT])} …", cleaned)
    return visible(cleaned)


def _shown(match: re.Match[str]) -> str:
    """Leave an element that is kept; show any other as text, which the cleaner would drop without a word."""
    return match[0] if match[1].lower() in _TAGS else f"&lt;{match[0][1:]}"


def clean_text(text: str) -> str:
    """Text as escaped, shortened HTML."""
    return escape(visible(shortened(_ANSI.sub("", text))))


def with_code_words(html: str) -> str:
    """Set words between back-ticks as code, in sentences that are safe already."""
    return _BACKTICKS.sub(r"<code>\1</code>", html)


def output_html(output: Mapping[str, Any]) -> str:
    """HTML of one notebook output; empty for what a report does not show (warnings, scripts, widgets)."""
    kind = output["output_type"]
    if kind == "stream":
        return f"<pre>{clean_text(output['text'])}</pre>" if output["name"] == "stdout" else ""
    if kind == "error":
        return f'<pre class="cx-error">{clean_text(output["ename"])}</pre>'
    data, record = output.get("data", {}), output.get("metadata", {}).get("cx", {})
    if record.get("kind") == "figure" and (html := _figure(data, record)):
        return html
    if "text/html" in data:
        html = clean_html(data["text/html"])
        html = with_code_words(html) if record.get("kind") in ("notice", "finding") else html
        if _is_wide(html):  # an interval breaks before its upper end, not twice
            html = html.replace(" to ", "&nbsp;to ").replace("～", "～<wbr>")
            return f'<div class="scroll wide">{html}</div>'
        return f'<div class="scroll">{html}</div>'
    if picture := _picture(data):
        alt = escape(visible(str(record.get("alt", ""))), quote=True)
        return f'<figure class="cx-figure"><img alt="{alt}" src="{picture}"></figure>'
    text = data.get("text/plain") or data.get("text/markdown") or data.get("text/latex") or ""
    return f"<pre>{clean_text(text)}</pre>" if text and "application/javascript" not in data else ""


def _is_wide(html: str) -> bool:
    """Tell whether a table fits a sheet of paper only if its numbers may break at a space.

    A number or short word counts as a whole, a text by its longest word; a Japanese letter takes two places.
    """
    widths: dict[int, int] = {}
    for row in _ROW.findall(html):
        for at, (kind, look, shown) in enumerate(_CELL.findall(row)):
            is_whole = look == "short" or (kind == "d" and look == "number")
            words = [unescape(shown)] if is_whole else re.findall(r"[^\W_]+|.", unescape(shown), re.ASCII)
            places = (len(word) + len(re.findall("[\u3000-\uffef]", word)) for word in words)
            widths[at] = max(widths.get(at, 0), *places, 0)
    return sum(widths.values()) + len(widths) > SHEET


def _figure(data: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Build a figure from its record, so that a large picture need not be parsed."""
    match = re.search(rf'src="({_PICTURE.pattern})"', data.get("text/html", ""))
    picture = match[1] if match else _picture(data)
    if not picture:
        return ""
    alt, caption, source = (
        escape(visible(str(record.get(name) or "")), quote=True) for name in ("alt", "caption", "source")
    )
    return (
        f'<figure class="cx-figure"><div class="picture"{_least_width(picture)}>'
        f'<img alt="{alt}" src="{picture}"></div>'
        f'<figcaption>{caption}<span class="cx-source">{source}</span></figcaption></figure>'
    )


def _least_width(picture: str) -> str:
    """Width below which the smallest letters of a drawing would be too small to read, as a style.

    Matplotlib draws each letter from a glyph of 100 units, scaled to its size in points.
    """
    import base64

    kind, code = picture.split(";base64,")
    drawing = base64.b64decode(code).decode("utf-8", "replace") if "svg" in kind else ""
    width = re.search(r'<svg\b[^>]* width="([\d.]+)pt"', drawing)
    sizes = [float(size) for size in _GLYPH_SCALE.findall(drawing)]
    if width is None or not sizes:
        return ""
    return f' style="--least: {LEAST_TEXT * float(width[1]) / (100 * min(sizes)):.0f}px"'


def _picture(data: Mapping[str, Any]) -> str:
    """Return a picture output as a data address: in an image element SVG can neither run nor load."""
    import base64

    for mime in ("image/svg+xml", "image/png", "image/jpeg"):
        if mime in data:
            raw = data[mime]
            code = (
                base64.b64encode(raw.encode()).decode() if mime == "image/svg+xml" else "".join(raw.split())
            )
            address = f"data:{mime};base64,{code}"
            return address if _PICTURE.fullmatch(address) else ""
    return ""
