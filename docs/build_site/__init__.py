"""The handbook's site: pages are put together here, Sphinx turns them into HTML (`make docs`)."""
