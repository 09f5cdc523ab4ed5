"""Frames of any library, taken at the border: inside, every function meets plain pandas.

The faces of the package (`cx.nps`, `cx.voice.nps`) hand functions out through here, so that the rule has one
home. A pandas frame of plain types goes through as it is; one of other types is converted column by column,
one of another library through Arrow. Arguments of type `Any` reduce on their own engine and keep it. Levels
and numbers of draws are checked on the way (`cxlib.checks.own_numbers`), and rows that a function could not
work with are named (`cxlib.checks.odd_rows`).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import lazy_loader

from cxlib.checks import CxError, ParameterError, check_frame
from cxlib.checks.odd_rows import name_odd_rows
from cxlib.checks.own_numbers import checks_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Rows fetched at most from where they lie (DuckDB, Spark, a database); frames in memory have no limit.
MOST_ROWS = 5_000_000


def face(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make a package's `__getattr__, __dir__, __all__` from its stub; its functions take any frame.

    Examples
    --------
    >>> import cxlib as cx
    >>> import pyarrow as pa
    >>> cx.nps(pa.table({"nps_score": [10, 9, 0]}))["estimate"].round(1).item()
    33.3
    """
    found, listed, names = lazy_loader.attach_stub(package, file)

    held = vars(sys.modules[package])

    def offered(name: str) -> Any:
        value = found(name)
        held[name] = _taking_any_frame(value) if inspect.isfunction(value) else value
        return held[name]

    for name in held.keys() & set(names):  # looked up already, by EAGER_IMPORT
        offered(name)
    return offered, listed, names


def plain_frame(frame: Any, *, argument: str = "data") -> pd.DataFrame:
    """Give a frame of any library as pandas of plain types; one that is already comes back itself.

    Parameters
    ----------
    frame : frame of pandas, Polars, Arrow, DuckDB, PySpark, Ibis or whatever else narwhals knows
        Categories become their values, Arrow's and nullable types NumPy's and text; times keep their zone.
    argument : str
        Its name, for messages.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ParameterError
        If it is no frame, or one that is not in memory has more than `MOST_ROWS` rows.

    Examples
    --------
    >>> import pandas as pd
    >>> plain = pd.DataFrame({"brand": ["a", None], "amount": [1.0, 2.0]})
    >>> plain_frame(plain) is plain
    True
    >>> plain_frame(plain.astype({"brand": "category", "amount": "Float64"})).equals(plain)
    True
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        frame = _fetched(frame, argument)
    if not frame.columns.is_unique:
        return frame
    if all(map(_is_plain, frame.dtypes.array)):
        return frame
    return frame.assign(**{name: plain_column(values) for name, values in frame.items()})


def is_elsewhere(frame: Any, *, argument: str) -> bool:
    """Tell whether a frame's rows lie in an engine, not in memory; refuse what is no frame.

    Examples
    --------
    >>> import duckdb
    >>> is_elsewhere(duckdb.connect().sql("SELECT 1 AS line"), argument="orders")
    True
    """
    import narwhals as nw
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return False
    try:
        return isinstance(nw.from_native(frame), nw.LazyFrame)
    except TypeError:
        check_frame(frame, argument=argument)
        raise


def arrow_rows(frame: Any, *, argument: str) -> pa.Table:
    """Take the rows of another library's frame as they are, from elsewhere up to `MOST_ROWS`.

    Examples
    --------
    >>> import duckdb
    >>> arrow_rows(duckdb.connect().sql("SELECT 1 AS line"), argument="orders").num_rows
    1
    """
    import narwhals as nw

    if not is_elsewhere(frame, argument=argument):
        return nw.from_native(frame).to_arrow()
    seen = nw.from_native(frame)
    rows = int(seen.select(nw.len()).collect(backend="pyarrow").item())
    if rows > MOST_ROWS:
        values = {"rows": f"{rows:,}", "most": f"{MOST_ROWS:,}", "engine": engine_of(frame)}
        raise ParameterError("checks.too_many_rows", argument=argument, **values)
    return seen.collect(backend="pyarrow").to_native()


def engine_of(frame: Any) -> str:
    """Name the library that a frame is of.

    Examples
    --------
    >>> import pandas as pd
    >>> engine_of(pd.DataFrame())
    'pandas'
    """
    return type(frame).__module__.split(".")[0].lstrip("_")


def plain_column(values: pd.Series) -> pd.Series:
    """Give a column in plain types: whole numbers, floats, text, yes/no, instants.

    Examples
    --------
    >>> import pandas as pd
    >>> plain_column(pd.Series([3, None], dtype="category")).tolist()
    [3.0, nan]
    """
    import numpy as np
    import pandas as pd

    kind: Any = values.dtype
    if _is_plain(kind):
        return values
    if isinstance(kind, pd.CategoricalDtype):
        known = plain_column(pd.Series(kind.categories))
        found = known.reindex(values.cat.codes)
        return pd.Series(found.array, values.index, name=values.name)
    if isinstance(kind, pd.ArrowDtype):
        import pyarrow as pa

        held: Any = values.array
        table = pa.table({"value": pa.chunked_array(held.__arrow_array__())})
        return pd.Series(_from_arrow(table)["value"].array, values.index, name=values.name)
    if isinstance(kind, pd.StringDtype):
        return values.astype(_text())
    if kind.kind == "f":
        return pd.Series(values.to_numpy(float, na_value=np.nan), values.index, name=values.name)
    return values.astype("Int64" if values.isna().any() else "int64")


@functools.cache
def _is_plain(kind: Any) -> bool:
    """Tell whether the handbook's own frames hold such a column; `Int64` and `boolean` are among them."""
    import pandas as pd

    if isinstance(kind, pd.CategoricalDtype | pd.ArrowDtype):
        return False
    if isinstance(kind, pd.StringDtype):
        return kind.na_value is not pd.NA
    if kind.kind in "iuf":
        return str(kind) in ("int64", "float64", "Int64")
    return True


def _text() -> Any:
    import numpy as np
    import pandas as pd

    return pd.StringDtype("pyarrow", na_value=np.nan)


def _from_arrow(table: Any) -> pd.DataFrame:
    """Turn Arrow into pandas: text as text, yes/no with gaps as `boolean`, decimals as floats."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.types as of

    for place, field in enumerate(table.schema):
        kind = field.type.value_type if of.is_dictionary(field.type) else field.type
        if of.is_decimal(kind) or of.is_floating(kind):
            kind = pa.float64()
        elif of.is_integer(kind) and kind != pa.uint64():
            kind = pa.int64()
        elif of.is_date(kind):
            kind = pa.timestamp("s")
        elif str(kind) == "string_view":
            kind = pa.large_string()
        if kind != field.type:
            table = table.set_column(place, field.name, table[place].cast(kind))
    mapped = {pa.string(): _text(), pa.large_string(): _text()}
    mapped |= {field.type: pd.BooleanDtype() for field in table.schema if of.is_boolean(field.type)}
    frame: pd.DataFrame = table.to_pandas(types_mapper=mapped.get)
    for name in frame.columns[frame.dtypes == "boolean"]:
        if not frame[name].isna().any():
            frame[name] = frame[name].astype(bool)
    return frame


def _fetched(frame: Any, argument: str) -> pd.DataFrame:
    """Take over the rows of another library's frame, or of what has rows of its own such as `OrderLines`."""
    import pandas as pd

    if hasattr(frame, "fetch_rows"):
        frame = frame.fetch_rows()
    return frame if isinstance(frame, pd.DataFrame) else _from_arrow(arrow_rows(frame, argument=argument))


@functools.cache
def _taking_any_frame(function: Callable[..., Any]) -> Callable[..., Any]:
    """Convert the frames among a function's arguments and check its numbers; without both it stays itself."""
    parameters = inspect.signature(function).parameters
    kinds = {name: str(each.annotation) for name, each in parameters.items() if _may_be_frame(each)}
    checks = checks_of(function)
    if not kinds and not checks:
        return function
    names = list(parameters)
    defaults = {name: each.default for name, each in parameters.items()}
    hands_on = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())

    @functools.wraps(function)
    def with_plain_frames(*args: Any, **kwargs: Any) -> Any:
        for name, value in kwargs.items():
            if name in checks:
                checks[name](value, argument=name)
        placed = [
            _plain(value, name, kinds[name]) if name in kinds else value
            for name, value in zip(names, args, strict=False)
        ]
        named = {
            name: _plain(value, name, kinds[name]) if name in kinds else value
            for name, value in kwargs.items()
        }
        try:
            return function(*placed, *args[len(names) :], **named)
        except Exception as error:
            given = {**dict(zip(names, placed, strict=False)), **named}
            frames = {name: value for name, value in given.items() if name in kinds}
            if not hands_on:
                _by_its_own_name(error, function.__name__, frames, {**defaults, **given})
            for name, value in frames.items():  # a table that is nothing, before another one is blamed
                if value is None and kinds[name] == "pd.DataFrame" and not isinstance(error, CxError):
                    check_frame(value, argument=name)
            name_odd_rows(error, frames)
            raise

    return with_plain_frames


#: What says that a column which an argument names is not there.
_NO_COLUMN = ("checks.missing_column", "checks.no_such_column")


def _by_its_own_name(
    error: Exception, function: str, frames: Mapping[str, Any], arguments: Mapping[str, Any]
) -> None:
    """Name a column by the argument that named it, or alone where none did: none that can't be given."""
    if not isinstance(error, ParameterError) or error.key not in _NO_COLUMN:
        return
    values: dict[str, Any] = dict(error.values)
    if str(values["argument"]).split("[")[0] in arguments:
        return
    column = values["column"]
    for name, value in arguments.items():
        if isinstance(value, str) and value == column:
            raise ParameterError(error.key, **{**values, "argument": name}) from error
    lacking = [name for name, frame in frames.items() if column not in getattr(frame, "columns", [column])]
    told: dict[str, Any] = {"argument": (lacking or ["data"])[0], "column": column}
    told["nearest"] = values["nearest"]
    raise ParameterError("checks.fixed_column", function=function, **told) from error


def _may_be_frame(parameter: inspect.Parameter) -> bool:
    kind = str(parameter.annotation)
    return (
        any(word in kind for word in ("DataFrame", "pd.Series")) and "Callable" not in kind
    ) or parameter.name == "orders"


def _plain(value: Any, argument: str, kind: str) -> Any:
    """Convert one argument as its annotation asks."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return plain_frame(value, argument=argument)
    if isinstance(value, pd.Series):
        if kind in ("pd.DataFrame", "pd.DataFrame | None"):
            check_frame(value, argument=argument)
        return plain_column(value)
    if kind.startswith("Mapping[str, pd.") and isinstance(value, Mapping):
        inner = kind.removeprefix("Mapping[str, ").removesuffix("]")
        return {name: _plain(each, argument, inner) for name, each in value.items()}
    if kind.startswith("pd.Series") and hasattr(value, "to_pandas"):
        return plain_column(value.to_pandas())
    if value is None or kind not in ("pd.DataFrame", "pd.DataFrame | None"):
        return value
    return plain_frame(value, argument=argument)
