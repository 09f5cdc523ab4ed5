"""The type of text columns, by itself: `"str"` in pandas 2 means objects, and makes a missing text a word."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: What pandas 3 calls `str`: text held by Arrow, missing as NaN.
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
