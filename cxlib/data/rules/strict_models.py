"""YAML read safely into models that refuse unknown keys; every misfit is named in the reader's language."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from cxlib.checks import InputError, nearest
from cxlib.data.rules.plain_yaml import MOST_BYTES, NotYaml, plain_yaml
from cxlib.language import catalogue, text

Model = TypeVar("Model", bound=BaseModel)


class Closed(BaseModel):
    """A model that refuses keys it does not know, because a misspelt key must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def fault(kind: str, **values: object) -> PydanticCustomError:
    """Error of a validator, worded by the catalogue entry `rules.why.<kind>`."""
    return PydanticCustomError(kind, kind, values)


def read_model(model: type[Model], path: Path) -> Model:
    """One YAML file as a checked model; every problem of the file in one message."""
    return to_model(model, read_yaml(path), file=path.name)


def read_yaml(path: Path) -> Any:
    """Content of a YAML file, read safely; every scalar but true, false and null is text, as written.

    Raises
    ------
    InputError
        When the file is missing, is not UTF-8, is longer than 1 MB or is no YAML; says on which line.
    """
    if not os.path.isfile(path):
        raise InputError("rules.no_file", file=path.name[:80])
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("rules.too_long", file=path.name, limit=f"{MOST_BYTES:,}")
        return plain_yaml(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError("rules.not_utf8", file=path.name) from error
    except OSError as error:
        raise InputError("rules.no_file", file=path.name[:80]) from error
    except NotYaml as error:
        raise InputError("rules.no_yaml", file=path.name, line=error.line or "?") from error


def to_model(model: type[Model], content: Any, *, file: str) -> Model:
    """Plain data as a checked model; unknown keys are named with the nearest known one.

    Raises
    ------
    InputError
        Lists every entry that does not fit.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)

    def wording(lang: str) -> str:
        return "\n".join(_sentence(model, detail, lang) for detail in details)

    raise InputError("rules.invalid", file=file, details=Wording(wording))


class Wording:
    """A text that is worded when it is needed, so that an error can be said again in another language."""

    def __init__(self, wording: Any) -> None:
        self.text = wording


def _sentence(model: type[BaseModel], detail: Any, lang: str) -> str:
    place = ".".join(str(part) for part in detail["loc"]) or "—"
    if detail["type"] == "extra_forbidden":
        key = str(detail["loc"][-1])
        options = _options(model, detail["loc"][:-1])
        return text("rules.unknown_key", lang, place=place, nearest=nearest(key, options))
    if detail["type"] == "missing":
        return text("rules.missing_key", lang, place=place)
    kind = f"rules.why.{detail['type']}"
    values = {name: str(value) for name, value in detail.get("ctx", {}).items()}
    reason = text(kind if kind in catalogue() else "rules.why.other", lang, **values)
    return text("rules.wrong_value", lang, place=place, reason=reason)


def _options(model: Any, location: tuple[Any, ...]) -> list[str]:
    """Keys allowed at a place inside a model."""
    for part in location:
        if isinstance(part, int):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        model = _inner_model(field.annotation) if field is not None else model
    return [field.alias or name for name, field in getattr(model, "model_fields", {}).items()]


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_inner_model(part) for part in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found is not None), None)
