"""Columns of the simulated tables: days to dates and timestamps, codes to words, numbers to ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.data.text_type import FROM_ARROW

TIMEZONE = "Asia/Tokyo"
UTC_OFFSET = np.timedelta64(9, "h")  # Japan knows no summer time
EXTRACTED_ON = date(2026, 10, 1)


@dataclass(frozen=True)
class Calendar:
    """The observed months as day numbers, counted from the first day; day `n_days` is the extraction."""

    months: int

    @cached_property
    def first_day(self) -> np.datetime64:
        """First observed day."""
        return (np.datetime64(EXTRACTED_ON, "M") - self.months).astype("M8[D]")

    @cached_property
    def month_starts(self) -> np.ndarray:
        """Day number of each month's first day, and of the extraction."""
        starts = (np.datetime64(EXTRACTED_ON, "M") - self.months) + np.arange(self.months + 1)
        return (starts.astype("M8[D]") - self.first_day).astype(int)

    @cached_property
    def n_days(self) -> int:
        """Number of observed days."""
        return int(self.month_starts[-1])

    def month_of(self, days: np.ndarray) -> np.ndarray:
        """Month number of each day number."""
        return np.searchsorted(self.month_starts, days, side="right") - 1

    def dates(self, days: np.ndarray, *, missing: np.ndarray | None = None) -> pd.Series:
        """Day numbers as dates, missing where told."""
        dates = (self.first_day + days.astype("m8[D]")).astype("M8[us]")
        if missing is not None:
            dates[missing] = np.datetime64("NaT")
        return pd.Series(dates)

    def moments(self, seconds: np.ndarray, *, missing: np.ndarray | None = None) -> pd.Series:
        """Seconds since the first day's midnight in Japan as timestamps in the data set's timezone."""
        utc = (
            self.first_day.astype("M8[us]") + (seconds.astype("i8") * 1_000_000).astype("m8[us]") - UTC_OFFSET
        )
        if missing is not None:
            utc[missing] = np.datetime64("NaT")
        return pd.Series(pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(TIMEZONE))


def words(vocabulary: Any, codes: np.ndarray) -> pd.Series:
    """Words by their position in the vocabulary; a negative code is a missing word."""
    codes = codes.astype(np.int32)
    indices = pa.array(codes, mask=codes < 0)
    coded = pa.DictionaryArray.from_arrays(indices, pa.array(list(vocabulary), pa.large_string()))
    return _series(coded.cast(pa.large_string()))


def codes(texts: pd.Series, vocabulary: Any) -> np.ndarray:
    """Position in the vocabulary of words that are all in it: what `words` made them of."""
    known = pa.array(list(vocabulary), pa.large_string())
    return pc.index_in(pa.array(texts, pa.large_string()), value_set=known).to_numpy()


def ids(prefix: str, numbers: np.ndarray, *, width: int = 7) -> pd.Series:
    """Ids such as C0000012; a negative number is a missing id."""
    digits = pc.utf8_lpad(pa.array(numbers, mask=numbers < 0).cast(pa.large_string()), width, "0")
    parts = (pa.scalar(prefix, pa.large_string()), digits, pa.scalar("", pa.large_string()))
    return _series(pc.binary_join_element_wise(*parts))


def _series(texts: pa.Array) -> pd.Series:
    return pd.Series(texts.to_pandas(types_mapper=FROM_ARROW))


def pick(rng: np.random.Generator, shares: Any, size: int) -> np.ndarray:
    """Codes drawn with the given shares (they need not sum to 1)."""
    limits = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(limits, rng.random(size), side="right").clip(max=len(limits) - 1)


def daytime(rng: np.random.Generator, size: int) -> np.ndarray:
    """Second of the day, mostly at lunch and in the evening."""
    hours = 8 + 15.9 * np.sqrt(rng.random(size))
    return (hours * 3600).astype(int)
