"""Put a language's pages together in a folder, as Sphinx reads them."""

import json
import re
import shutil
from pathlib import Path

from build_site import cheat_sheets, glossary, proofs, reference, snippets
from build_site.links import to_site
from build_site.names import public_names, wings
from build_site.notebooks import title_of, to_page
from build_site.places import DOCS, ROOT, TAKEN, chapters, lessons, page_of_path

HEADINGS = {
    "en": {"chapters": "Chapters", "course": "Course", "exercises": "Exercises"},
    "ja": {"chapters": "各章", "course": "コース", "exercises": "演習"},
}

#: How the file of a lesson's exercises ends.
EXERCISES = "_exercises"


def assemble(folder: Path, lang: str, *, ran: Path | None = None, is_made: bool = True) -> None:
    """Write all pages of a language.

    Parameters
    ----------
    folder
        Emptied first.
    lang
        `en` or `ja`.
    ran
        Folder with the chapters run in that language (`journey.ipynb`); without, those stored here.
    is_made
        With the pages made of code, rules and tests, which only the English site has.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "reports" / "screenshots", folder / "pictures")
    for page in sorted((DOCS / "pages" / lang).rglob("*.md")):
        name = str(page.relative_to(DOCS / "pages" / lang))
        _write(folder, name, _with_course(page.read_text(encoding="utf-8"), lang))
    _write(folder, "glossary.md", glossary.page(lang))
    _notebooks(folder, lang, ran)
    _taken(folder, lang)
    if lang == "en" and is_made:
        _made(folder)


def _with_course(text: str, lang: str) -> str:
    """Leave out what leads to the course where there is none."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if lessons(lang) or "course/index" not in line)


def _taken(folder: Path, lang: str) -> None:
    """Pages of the repository; where one ends in its Japanese text, that is the Japanese page."""
    for path, page in TAKEN.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        begins = re.search(r"^(?:---\n+)?# .*（日本語）$", text, flags=re.M)
        english, japanese = (text[: begins.start()], text[begins.start() :]) if begins else (text, "")
        if own := english if lang == "en" else japanese.removeprefix("---").lstrip():
            plain = own.replace("（日本語）\n", "\n", 1)
            _write(folder, f"{page}.md", to_site(plain, path=path, at=page, pages=page_of_path(lang)))


def _made(folder: Path) -> None:
    """Pages made of code, rules and tests."""
    for page, text in [*snippets.pages(folder), *reference.pages(), *cheat_sheets.pages()]:
        _write(folder, page, text)
    _write(folder, "proofs.md", proofs.page())
    for name in (name for wing in wings() for name in public_names(wing)):
        if picture := reference.picture_of(name):
            reference.draw(name, folder / picture)


def _notebooks(folder: Path, lang: str, ran: Path | None) -> None:
    for kind, paths in (("chapters", chapters()), ("course", lessons(lang))):
        intro = DOCS / "pages" / lang / f"{kind}.inc"
        lines = [f"# {HEADINGS[lang][kind]}", "", intro.read_text(encoding="utf-8") if intro.exists() else ""]
        more = {path.stem: path for path in paths if path.stem.endswith(EXERCISES)}
        tree = []
        for path in (path for path in paths if path not in more.values()):
            run = ran / f"{path.stem.split('_', 1)[1]}.ipynb" if ran and kind == "chapters" else path
            exercises = more.get(path.stem + EXERCISES)
            _notebook(folder / kind / path.name, run, path, lang, below=exercises)
            title = title_of(path, lang)
            lines.append(f"- [{title}]({path.name})")
            if exercises:
                _notebook(folder / kind / exercises.name, exercises, exercises, lang)
                lines[-1] += f" · [{HEADINGS[lang]['exercises']}]({exercises.name})"
            tree.append(f"{title.replace('：', ':').split(':')[0]} <{path.stem}>")
        if paths:
            tree = ["```{toctree}", ":hidden:", "", *tree, "```", ""]
            _write(folder, f"{kind}/index.md", "\n".join([*lines, "", *tree]))


def _notebook(to: Path, run: Path, path: Path, lang: str, *, below: Path | None = None) -> None:
    """Write a notebook's page, its links leading to other pages, and what stands below it in the contents."""
    page, at = to_page(run, lang, is_folded=to.parent.name == "chapters"), f"{to.parent.name}/{to.stem}"
    for cell in page["cells"]:
        if cell["cell_type"] == "markdown":
            text, name = "".join(cell["source"]), str(path.relative_to(ROOT))
            cell["source"] = to_site(text, path=name, at=at, pages=page_of_path(lang))
    if below:
        tree = f"```{{toctree}}\n:hidden:\n\n{HEADINGS[lang]['exercises']} <{below.stem}>\n```\n"
        page["cells"].append({"cell_type": "markdown", "id": "contents", "metadata": {}, "source": tree})
    _write(to.parent, to.name, json.dumps(page, ensure_ascii=False))


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
