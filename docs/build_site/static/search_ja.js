// Sphinx has no Japanese for what its search says in the singular and the plural.
Documentation.addTranslations({
  locale: "ja",
  messages: { "Search finished, found one page matching the search query.": ["${resultCount}件のページが見つかりました。"] },
  plural_expr: "0",
});
