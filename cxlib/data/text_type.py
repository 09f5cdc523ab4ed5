"""The type of text columns, by itself: `"str"` in pandas 2 means objects, and makes a missing text a word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

#: What pandas 3 calls `str`: text held by Arrow, missing as NaN.
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)

#: For `to_pandas(types_mapper=…)`: text comes from Arrow as text in either version of pandas.
FROM_ARROW = {pa.string(): TEXT, pa.large_string(): TEXT}.get
