"""The page of terms, from `docs/glossary.yml`."""

from typing import Any

from cxlib.language import glossary

TITLES = {"en": "Glossary", "ja": "用語集"}
TOP = {
    "en": "One word per idea, in reports, notebooks and messages alike; in brackets the Japanese word.",
    "ja": "1つの考えに1つの言葉を使います。レポート、ノートブック、メッセージに共通です。括弧内は英語です。",
}


def page(lang: str) -> str:
    """Write the page in a language, terms in its order."""
    other = "ja" if lang == "en" else "en"
    entries = sorted(glossary().values(), key=lambda term: str(term[lang]).casefold())
    told = [f"{term[lang]}\n  {term['meaning'][lang]}{_other(term, lang, other)}\n" for term in entries]
    return "\n".join([f"# {TITLES[lang]}\n\n{TOP[lang]}\n\n:::{{glossary}}", *told, ":::", ""])


def _other(term: dict[str, Any], lang: str, other: str) -> str:
    """Write the word of the other language, where it is another one."""
    if term[lang] == term[other]:
        return ""
    return f"（{term[other]}）" if lang == "ja" else f" ({term[other]})"
