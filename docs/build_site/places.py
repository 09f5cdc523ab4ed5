"""Where the site takes its pages from, and what they are called there."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BUILD = DOCS / "_build"
LANGUAGES = ("en", "ja")
#: Pages that stand elsewhere in the repository, by the name the site gives them.
TAKEN = {
    "data/README.md": "contract",
    "data/mappings/README.md": "mappings",
    "docs/results.md": "results",
    "docs/running.md": "running",
    "docs/after_a_run.md": "after_a_run",
    "docs/recipes.md": "recipes",
    "docs/engines.md": "engines",
    "reports/README.md": "parameters",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
}
#: Those that hold their Japanese text, too.
JAPANESE = {path: TAKEN[path] for path in ("docs/running.md", "docs/after_a_run.md", "reports/README.md")}
#: Links to these lead to a page that is made.
MADE = {"docs/names.md": "reference/index", "docs/glossary.yml": "glossary"}


def chapters() -> list[Path]:
    """Notebooks of the chapters, in order."""
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def lessons(lang: str) -> list[Path]:
    """Notebooks of the course in a language, in order; none where there is no course."""
    return sorted((ROOT / "notebooks" / "course" / lang).glob("*.ipynb"))


def page_of_path(lang: str) -> dict[str, str]:
    """Page of a language's site by path in the repository."""
    told = {f"notebooks/{path.name}": f"chapters/{path.stem}" for path in chapters()}
    if lessons(lang):
        told |= {f"notebooks/course/{lang}/{path.name}": f"course/{path.stem}" for path in lessons(lang)}
        told["notebooks/course/README.md"] = "course/index"
    return told | (TAKEN | MADE if lang == "en" else {"docs/glossary.yml": "glossary"} | JAPANESE)
