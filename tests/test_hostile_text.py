"""Hostile text stays text: in a real browser no script runs and nothing is asked of any server."""

import json
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cxlib.runner.cli import main

ROOT = Path(__file__).parents[1]
FIXTURES = Path(__file__).parent / "notebooks" / "hostile"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
]


#: Places outside, this page, and pages of the run (from the index, the one page, or back to the index).
LINK = re.compile(r"https?://|mailto:|#|(\.\./|[\w-]+/)?[\w-]+\.(html(#[\w.-]+)?|json)$")


class Elements(HTMLParser):
    """Elements of a page with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.fixture
def beacon():
    """A server on this machine that remembers whether anybody asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def dom(page, tmp_path):
    """The page as the browser holds it after everything had time to run."""
    if BROWSER is None:
        pytest.skip("no Chromium here: apt-get install chromium, then this test opens the report in it")
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def assert_inert(html):
    for tag, attributes in Elements(html).found:
        assert tag not in {"script", "iframe", "object", "embed", "link", "base", "form", "svg", "video"}
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "meta" or attributes.get("http-equiv", "").lower() != "refresh"
        assert tag != "img" or attributes.get("src", "data:image/").startswith("data:image/")
        assert tag != "a" or LINK.match(attributes.get("href", "#"))


@pytest.fixture
def hostile_run(tmp_path, beacon):
    label = "<script>document.title='owned'</script>\u202e"
    arguments = ["-p", f"beacon={beacon[0]}", "-p", f"label={label}", "--with-code"]
    assert main(["run", "--notebooks", str(FIXTURES), "--out", str(tmp_path / "out"), *arguments]) == 0
    (folder,) = (tmp_path / "out").glob("2*")
    return folder


def test_hostile_text_is_shown_as_short_inert_text(hostile_run):
    html = (hostile_run / "hostile.html").read_text(encoding="utf-8")
    assert_inert(html)
    assert_inert((hostile_run.parent / "index.html").read_text(encoding="utf-8"))
    assert "&lt;script&gt;" in html and "⟨U+202E⟩" in html and "⟨U+200B⟩" in html
    assert "\u202e" not in html and "x" * 5_000 not in html and len(html) < 1_500_000
    tables = {path.suffix: path for path in (hostile_run / "tables" / "hostile").iterdir()}
    assert "'=HYPERLINK" in tables[".csv"].read_text(encoding="utf-8-sig")
    assert set(tables) == {".csv", ".parquet"}, "a hostile key is a safe file name"


@pytest.mark.browser
def test_a_browser_asks_nobody_and_runs_nothing(hostile_run, beacon, tmp_path):
    for page in (hostile_run / "hostile.html", hostile_run.parent / "index.html"):
        before = re.search("<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.S)[1]
        seen = dom(page, tmp_path)
        assert_inert(seen)
        assert re.search("<title>(.*?)</title>", seen, re.S)[1] == before
        assert beacon[1] == []


@pytest.mark.browser
def test_the_browser_check_would_notice(beacon, tmp_path):
    page = tmp_path / "open.html"
    page.write_text(f"<title>a</title><img src='{beacon[0]}/img'><script>document.title='owned'</script>")
    assert "<title>owned</title>" in dom(page, tmp_path)
    assert beacon[1] == ["/img"]


CLOSED = re.compile(
    r"_id$|^(survey|assignment|arm|stage|touchpoint|customer_type|channel|month|wave|source|handled_by|cost_line)$"
)


def poison(folder, beacon):
    """Put hostile text in every free text column of a simulated company."""
    import pandas as pd

    from cxlib.data.contract import TABLES

    texts = [
        f"<script>document.title='owned';fetch('{beacon}/a')</script>",
        f"<img src='{beacon}/b' onerror=\"document.title='owned'\">",
        f"</td></table><script src='{beacon}/c'></script>",
        "[a](javascript:alert(1)) $\\href{x}$ \u202eabc\u200b",
        "=HYPERLINK('x')",
        "x" * 100_000,
    ]
    for path in sorted(folder.glob("*.parquet")):
        frame = pd.read_parquet(path)
        for column in frame.columns:
            is_key = column in TABLES[path.stem].key  # which has to stay unique
            if frame[column].map(type).eq(str).any() and not CLOSED.search(column) and not is_key:
                codes = pd.factorize(frame[column])[0]
                frame[column] = [None if code < 0 else texts[code % len(texts)] for code in codes]
        frame["価格(円)<script>"] = texts[0]
        frame.to_parquet(path, index=False)


@pytest.mark.browser
@pytest.mark.parametrize(
    "chapters",
    [
        pytest.param(["data_inventory", "initiative_register"], id="two"),
        pytest.param([], id="all", marks=pytest.mark.long),
    ],
)
def test_hostile_customer_data_in_the_real_chapters(beacon, tmp_path, chapters):
    from cxlib.samples.simulate import write_sample

    data, out = tmp_path / "data", tmp_path / "out"
    write_sample(data, n_customers=600, seed=7, months=24)
    poison(data, beacon[0])
    arguments = ["--data", str(data), "--out", str(out), "-p", "by=region"]
    assert main(["run", *chapters, *arguments]) in (0, 4)
    (folder,) = out.glob("2*")
    for page in sorted(folder.glob("*.html")):
        assert page.stat().st_size < 1_500_000
        seen = dom(page, tmp_path)
        assert_inert(seen)
        assert "<title>owned</title>" not in seen and beacon[1] == []
    for name in ("results.json", "run.json"):
        assert "\u202e" not in json.dumps(json.loads((folder / name).read_text()), ensure_ascii=False)
