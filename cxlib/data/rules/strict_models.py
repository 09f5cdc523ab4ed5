"""YAML read safely into models that refuse unknown keys; every misfit is named in the reader's language."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from cxlib.checks import InputError, nearest
from cxlib.data.rules.plain_yaml import MOST_BYTES, NotYaml, plain_yaml
from cxlib.language import catalogue, text

Model = TypeVar("Model", bound=BaseModel)


class Closed(BaseModel):
    """A model that refuses keys it does not know, because a misspelt key must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_or_false(cls, found: Any, info: ValidationInfo) -> Any:
        """Take `true` and `false` alone for what is true or false, and neither for a number."""
        asked = _kinds(cls.model_fields[str(info.field_name)].annotation)
        parts = found if isinstance(found, list) else [found]
        if bool not in asked:
            if asked & {int, float} and any(isinstance(part, bool) for part in parts):
                raise fault("float_type" if float in asked else "int_type")
            return found
        if isinstance(found, str):
            found = _WORDS.get(found.strip().lower(), found)
        if isinstance(found, str) or (isinstance(found, int | float) and not isinstance(found, bool)):
            raise fault("bool_parsing")
        return found


_WORDS = {"true": True, "false": False}


def _kinds(annotation: Any) -> set[Any]:
    """Types that a field may be of; `Literal[True]` is a bool."""
    inner = get_args(annotation)
    if annotation == Literal[True]:
        return {bool}
    return {annotation} if isinstance(annotation, type) or not inner else set().union(*map(_kinds, inner))


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
    is_unknown = detail["type"] == "extra_forbidden"
    parts, models = _place(model, detail["loc"][:-1] if is_unknown else detail["loc"])
    place = ".".join([*parts, *([str(detail["loc"][-1])] if is_unknown else [])]) or "—"
    if is_unknown:
        fields = [field for one in models for field in one.model_fields.items()]
        options = [field.alias or name for name, field in fields]
        return text("rules.unknown_key", lang, place=place, nearest=nearest(str(detail["loc"][-1]), options))
    if detail["type"] == "missing":
        return text("rules.missing_key", lang, place=place)
    kind = f"rules.why.{detail['type']}"
    values = {name: str(value) for name, value in detail.get("ctx", {}).items()}
    reason = text(kind if kind in catalogue() else "rules.why.other", lang, **values)
    return text("rules.wrong_value", lang, place=place, reason=reason)


def _place(model: type[BaseModel], location: tuple[Any, ...]) -> tuple[list[str], list[type[BaseModel]]]:
    """Keys that lead to a place as the file has them, and the models that lie there.

    Where one of several models was chosen, its name is part of the location but not of the file.
    """
    place: list[str] = []
    models = [model]
    for part in location:
        chosen = [one for one in models if one.__name__ == part]
        if not chosen:
            place.append(str(part))
        fields = [one.model_fields[part].annotation for one in models if part in one.model_fields]
        models = chosen or [inner for field in fields for inner in _inner_models(field)] or models
    return place, models


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _inner_models(part)]
