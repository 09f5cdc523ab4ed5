"""Use frames that I have opened already

Pandas, Polars, Arrow or DuckDB: a mapping of the contract's names of tables does.
"""

import cxlib as cx

data_set = cx.open_data("data/sample")

orders = data_set.table("orders")
settings = {"currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
shop = cx.open_data({"orders": orders}, name="Shop", **settings)
cx.summarise_customers(shop.table("orders"), as_of=shop.as_of)
