"""Sphinx's settings; `CX_SITE_LANG` and `CX_SITE_OTHER` come from `python -m build_site`."""

import os

import sphinx.search

import cxlib  # noqa: F401  (the reference reads it)
from build_site.japanese_search import JapanesePairs

sphinx.search.languages["ja"] = JapanesePairs
language = os.environ.get("CX_SITE_LANG", "en")
project = "CX Handbook"
author = "CX Handbook contributors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "build_site.extension"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
nb_execution_mode = "off"
nb_code_prompt_show = "コードを表示" if language == "ja" else "Show the code"
nb_code_prompt_hide = "コードを隠す" if language == "ja" else "Hide the code"
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # a crontab, and a line for a notebook
html_theme = "furo"
html_title = "CXハンドブック" if language == "ja" else "CX Handbook"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["search_ja.js"] if language == "ja" else []
templates_path = ["templates"]
html_show_copyright = html_show_sphinx = html_show_sourcelink = html_copy_source = False
html_search_summary = False
pygments_style, pygments_dark_style = "friendly", "github-dark"
default_role = "py:obj"  # a name in single backquotes becomes a link where it is a public one
add_module_names = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_admonition_for_examples = False
python_maximum_signature_line_length = 80
FONTS = 'system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans CJK JP", Meiryo, sans-serif'
CODE = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK JP", monospace'
html_theme_options = {
    "light_css_variables": {
        "font-stack": FONTS,
        "font-stack--monospace": CODE,
        "color-brand-primary": "#0b5c8f",
        "color-brand-content": "#0b5c8f",
    },
    "dark_css_variables": {"color-brand-primary": "#6fb6e6", "color-brand-content": "#6fb6e6"},
}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
