"""The public functions take frames of any library, and give the same for them as for plain pandas."""

import datetime as dt
import functools
import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxlib as cx
from cxlib.checks import ParameterError, own_frames
from cxlib.checks.own_frames import plain_frame

spec = importlib.util.spec_from_file_location("replayed", Path(__file__).with_name("test_order_of_rows.py"))
replayed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(replayed)

TOKYO = dt.timezone(dt.timedelta(hours=9))


def with_categories(frame):
    return frame.astype({name: "category" for name in frame if frame[name].dtype.kind in "OT"})


def with_offsets(frame):
    aware = [name for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{name: frame[name].dt.tz_convert(TOKYO) for name in aware})


TURNED = {
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda frame: frame.convert_dtypes(),
    "categories": with_categories,
    "fixed offset": with_offsets,
}


#: One library and one kind of time quickly; the rest by `make test-long`.
FORMS = [
    form if form in ("polars", "fixed offset") else pytest.param(form, marks=pytest.mark.long)
    for form in TURNED
]


class Abroad:
    """`cx` whose functions are given their frames in another form."""

    def __init__(self, turn):
        self.turn = turn

    def __getattr__(self, name):
        found = getattr(cx, name)
        if not inspect.isfunction(found):
            return found

        def called(*args, **kwargs):
            args = [self.turn(each) if isinstance(each, pd.DataFrame) else each for each in args]
            named = {k: self.turn(v) if isinstance(v, pd.DataFrame) else v for k, v in kwargs.items()}
            return found(*args, **named)

        return called


def in_words(frame):
    """Numbers as floats, everything else as objects: what a frame says, whatever its types."""
    told = {}
    for name, values in frame.items():
        if values.isna().all():
            told[name] = None
            continue
        number = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
        plain = values.astype("Float64") if number else values.astype(object)
        told[name] = plain.to_numpy(float, na_value=np.nan) if number else plain.where(plain.notna(), None)
        if not number:  # a yes/no with gaps comes as objects from some
            told[name] = told[name].map(
                lambda value: float(value) if isinstance(value, bool | int) else value
            )
    return pd.DataFrame(told)


@functools.cache
def of_plain_frames(name):
    tables, call, _ = replayed.CALLS[name]
    return call(*(replayed.company()[table] for table in tables.split()))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", sorted(set(replayed.CALLS) - {"choose_initiative"}))  # gives text of objects
@pytest.mark.filterwarnings("ignore")
def test_a_frame_of_any_library_gives_the_same(monkeypatch, name, form):
    expected = of_plain_frames(name)
    tables, call, _ = replayed.CALLS[name]
    given = [replayed.company()[table] for table in tables.split()]
    monkeypatch.setattr(replayed, "cx", Abroad(TURNED[form]))
    found = call(*given)
    assert isinstance(found, pd.DataFrame)
    pd.testing.assert_frame_equal(
        in_words(found), in_words(expected), check_dtype=False, check_exact=False, rtol=1e-12, atol=1e-12
    )


def test_plain_pandas_comes_back_itself_and_signatures_stay():
    plain = replayed.company()["summary"]
    assert plain_frame(plain) is plain
    assert inspect.signature(cx.rfm) == inspect.signature(cx.rfm.__wrapped__)
    assert cx.rfm is cx.customers.rfm and cx.rfm.__doc__ == cx.rfm.__wrapped__.__doc__
    assert not hasattr(cx.load_rules, "__wrapped__")


def test_columns_of_every_type_become_plain_ones():
    table = pa.table(
        {
            "text": pa.array(["a", None]).dictionary_encode(),
            "view": pa.array(["a", None], pa.string_view()),
            "money": pa.array([1, None], pa.decimal128(9, 2)),
            "whole": pa.array([1, 2], pa.int8()),
            "gaps": pa.array([1, None], pa.int32()),
            "flag": pa.array([True, None]),
            "day": pa.array([dt.date(2026, 1, 31), None]),
        }
    )
    found = plain_frame(table)
    kinds = ["str", "str", "float64", "int64", "float64", "boolean", "datetime64[s]"]
    assert [str(kind) for kind in found.dtypes] == kinds
    given = table.to_pandas(types_mapper=pd.ArrowDtype).set_axis(["x", "y"])
    pd.testing.assert_frame_equal(plain_frame(given), found.set_axis(["x", "y"]), check_index_type=False)
    assert str(given["text"].dtype).startswith("dictionary")


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("given", "said"), [(pl.Series([9]), "polars.Series"), (pd.Series([9]), "Series"), ([9], "builtins.list")]
)
def test_what_is_no_frame_is_refused_in_a_sentence(lang, given, said):
    with pytest.raises(ParameterError) as caught:
        cx.nps(given)
    assert said in caught.value.in_language(lang) and "data" in caught.value.in_language(lang)


def test_rows_elsewhere_are_fetched_up_to_a_stated_number(monkeypatch):
    scores = pl.DataFrame({"nps_score": [10, 9, 0]})
    assert cx.nps(scores.lazy())["n"].item() == 3
    monkeypatch.setattr(own_frames, "MOST_ROWS", 2)
    assert cx.nps(scores)["n"].item() == 3
    with pytest.raises(ParameterError, match=r"3 rows.*at most 2"):
        cx.nps(scores.lazy())
