"""Search in Japanese without a dictionary: pages and questions are cut into the same pairs of characters.

What Sphinx brings cuts only the pages into words, so that a question of two words finds nothing.
"""

import re

from sphinx.search import SearchLanguage

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f"
_RUN = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")


def pieces(text: str, *, single: bool = True) -> list[str]:
    """Cut text: words of letters and digits as they are, Japanese into pairs, and single characters if asked.

    Examples
    --------
    >>> pieces("NPSの推奨者", single=False)
    ['NPS', 'の推', '推奨', '奨者']
    >>> pieces("谷は", single=True)
    ['谷は', '谷', 'は']
    """
    found = []
    for run in _RUN.findall(text):
        if not _IS_CJK.match(run):
            found.append(run)
            continue
        found += [run[start : start + 2] for start in range(len(run) - 1)]
        found += list(run) if single else [run] * (len(run) == 1)
    return found


class JapanesePairs(SearchLanguage):
    """Sphinx's way in: it asks for a class with `split`, and for the same in JavaScript."""

    lang = "ja"
    language_name = "Japanese"
    js_splitter_code = f"""
function splitQuery(query) {{
  const cjk = /^[{_CJK}]/u, found = [];
  for (const run of query.match(/[{_CJK}]+|[^\\s\\p{{P}}\\p{{S}}{_CJK}]+/gu) || []) {{
    if (!cjk.test(run) || run.length === 1) {{ found.push(run); continue; }}
    for (let start = 0; start + 1 < run.length; start++) found.push(run.slice(start, start + 2));
  }}
  return found;
}}
"""

    def split(self, input: str) -> list[str]:
        """Cut a page."""
        return pieces(input)

    def stem(self, word: str) -> str:
        """Write words alike: the script asks in small letters."""
        return word.lower()
