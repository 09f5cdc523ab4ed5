"""Build the site: `PYTHONPATH=docs python -m build_site`, or `make docs`."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from build_site.assemble import assemble
from build_site.places import BUILD, LANGUAGES


def build(lang: str, *, out: Path = BUILD, strict: bool = True) -> int:
    """Turn the pages of a language, put together before, into HTML."""
    source = {of: out / "source" / of for of in LANGUAGES}
    other = source["ja" if lang == "en" else "en"]
    pages = (page.relative_to(other).with_suffix("") for page in other.rglob("*.*"))
    os.environ |= {"CX_SITE_LANG": lang, "CX_SITE_OTHER": " ".join(sorted(map(str, pages)))}
    site = out / "site" if lang == "en" else out / "site" / "ja"
    how = ["-W", "--keep-going"] if strict else []
    places = ["-c", str(Path(__file__).parent), "-d", str(out / "doctrees" / lang), str(source[lang])]
    code = build_main(["-E", "-q", *how, "-b", "html", *places, str(site)])
    shutil.rmtree(
        site / "jupyter_execute", ignore_errors=True
    )  # copies of the notebooks that nothing links to
    return code


def main() -> int:
    """Build both languages and say where the first page is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=BUILD)
    parser.add_argument(
        "--ran-ja", type=Path, help="folder of runs of the chapters in Japanese; the last is taken"
    )
    parser.add_argument("--lang", choices=LANGUAGES, action="append")
    parser.add_argument("--texts-only", action="store_true", help="without the pages made of code and tests")
    parser.add_argument("--lenient", action="store_true")
    asked = parser.parse_args()
    languages = asked.lang or LANGUAGES
    if not asked.lang:
        shutil.rmtree(asked.out / "site", ignore_errors=True)  # pages of what is there no longer
    for lang in languages:  # all of them before the first is built: pages lead to their like in the other
        runs = [path.parent for path in asked.ran_ja.glob("*/journey.ipynb")] if asked.ran_ja else []
        ran = max(runs) if lang == "ja" and runs else None
        assemble(asked.out / "source" / lang, lang, ran=ran, is_made=not asked.texts_only)
    for lang in languages:
        if code := build(lang, out=asked.out, strict=not asked.lenient):
            return code
    sys.stdout.write(f"{asked.out / 'site' / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
