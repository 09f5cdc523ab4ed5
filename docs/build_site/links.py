"""Links of a page of the repository, made to lead to pages of the site."""

import posixpath
import re
from collections.abc import Mapping

_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)[^\S\n]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\(([^)\s]+)\)")
_CODE = re.compile(r"(?<!\[)`([\w.-]+(?:/[\w.-]+)*\.(?:md|ipynb|yml))`(?!\])")


def anchor(heading: str) -> str:
    """Anchor of a heading, as MyST makes it.

    Examples
    --------
    >>> anchor("What is our NPS, and how sure is it?")
    'what-is-our-nps-and-how-sure-is-it'
    """
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.strip().replace(" ", "-")


def to_site(text: str, *, path: str, at: str, pages: Mapping[str, str]) -> str:
    """Rewrite the links of `path`, which becomes the page `at`; a file that is no page keeps only its words.

    Examples
    --------
    >>> text = "see [it](b.md), [code](x.py), `docs/b.md`"
    >>> to_site(text, path="docs/a.md", at="c/a", pages={"docs/b.md": "b"})
    'see [it](../b.md), code, [`docs/b.md`](../b.md)'
    """
    folder = posixpath.dirname(path)

    def there(target: str) -> str:
        is_notebook = target.startswith(("chapters/", "course/")) and not target.endswith("/index")
        kind = ".ipynb" if is_notebook else ".md"
        return posixpath.relpath(target, posixpath.dirname(at) or ".") + kind

    def link(found: re.Match[str]) -> str:
        words, target = found.groups()
        name, _, anchor = target.partition("#")
        if "://" in target or not name:
            return found.group()
        page = pages.get(posixpath.normpath(posixpath.join(folder, name)))
        anchor = "" if page == "course/index" else anchor  # its rows have no headings of their own
        return f"[{words}]({there(page)}{'#' + anchor if anchor else ''})" if page else words

    def code(found: re.Match[str]) -> str:
        page = pages.get(found[1])
        return f"[`{found[1]}`]({there(page)})" if page and page != at else found.group()

    def prose(part: str) -> str:
        return _CODE.sub(code, _LINK.sub(link, part))

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [prose(text[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, prose(text[end:])])
