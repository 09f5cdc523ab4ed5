"""Which file of an export is read, and how it is written, as a mapping says it."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cxlib.data.rules.settings import Encoding, as_text
from cxlib.data.rules.strict_models import Closed, fault

MOST_SKIPPED = 10_000
Cell = Annotated[str, BeforeValidator(as_text)]


def listed(value: Any) -> Any:
    """Take one value as a list of one."""
    return value if isinstance(value, list) else [value]


Names = Annotated[list[str], BeforeValidator(listed), Field(min_length=1)]


def _a_delimiter(sign: str) -> str:
    if not sign.isascii() or sign.isalnum() or sign in "\"'\r\n\0.-+":
        raise fault("no_delimiter")
    return sign


class Footer(Closed):
    """Where the rows end: at a line of fewer cells than the header, or one whose first cell starts so."""

    fewer_cells: Literal[True] | None = None
    starts_with: Annotated[list[Cell], BeforeValidator(listed), Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {value: True} if value == "fewer_cells" else value

    @model_validator(mode="after")
    def _says_where(self) -> Footer:
        if self.fewer_cells is None and self.starts_with is None:
            raise fault("at_least_one", options="fewer_cells, starts_with")
        return self


def _leaves_the_folder(name: str) -> bool:
    path, drive = Path(name), PureWindowsPath(name).drive  # C:o.csv leaves the folder there
    return path.is_absolute() or bool(drive) or ".." in path.parts or "\0" in name or "\\" in name


class Reading(Closed):
    """Which file of an export, or which files by a pattern, and how they are written.

    `delimiter` is a tab for `.tsv` and a comma for other text unless said; `sheet` is of workbooks only.
    """

    file: str | None = Field(default=None, min_length=1)
    files: Names | None = None
    encoding: Annotated[list[Encoding], BeforeValidator(listed), Field(min_length=1)] = Field(
        default_factory=lambda: ["utf-8"]
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_a_delimiter)] | None = None
    sheet: Annotated[list[Cell], BeforeValidator(listed), Field(min_length=1)] | None = None
    skip: int = Field(default=0, ge=0, le=MOST_SKIPPED)
    header_rows: int = Field(default=1, ge=0, le=10)
    header: Literal["first", "joined"] = "first"
    footer: Footer | None = None

    @model_validator(mode="after")
    def _inside(self) -> Reading:
        if (self.file is None) == (self.files is None):
            raise fault("exactly_one", options="file, files")
        if any(map(_leaves_the_folder, [self.file or "", *(self.files or [])])):
            raise fault("outside")
        return self

    @property
    def name(self) -> str:
        """The file or the pattern, as messages call it."""
        return self.file or " + ".join(self.files or [])
