"""YAML that people write, read safely, within bounds, and as it is written: `0010` and `10:30` stay codes."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

MOST_BYTES = 1_000_000
DEEPEST = 50
MOST_VALUES = 100_000
_TAG = "tag:yaml.org,2002:"
_WHOLE = r"[-+]?(?:0|[1-9][0-9]*)"
_DECIMAL = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"


class NotYaml(ValueError):
    """No YAML within the bounds; a class because it carries the line, or None, to whoever words it."""

    def __init__(self, line: int | None) -> None:
        self.line = line
        super().__init__(line)


_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # both are safe; the one in C is ten times faster


class _Loader(_Safe):
    """A safe loader that refuses repeated keys and turns no plain scalar but true, false and null.

    A class because that is how PyYAML is told. Keys are text, as written.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[Hashable] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag in _AS_WRITTEN:
                key_node.tag = f"{_TAG}str"
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise yaml.constructor.ConstructorError(None, None, "repeated key", key_node.start_mark)
            seen.add(key)
        return dict(super().construct_mapping(node, deep))

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, OverflowError, AttributeError, KeyError) as error:
            raise yaml.constructor.ConstructorError(None, None, "no value", node.start_mark) from error


class _WithNumbers(_Loader):
    """The same, with decimal numbers as numbers; a class because resolvers belong to one."""


_AS_WRITTEN = {f"{_TAG}{kind}" for kind in ("bool", "int", "float", "null", "timestamp")}
_KEPT = (f"{_TAG}null", f"{_TAG}merge")
for _loader in (_Loader, _WithNumbers):
    _loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|false)$"), list("tf"))
_WithNumbers.add_implicit_resolver(
    f"{_TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_WithNumbers.add_implicit_resolver(f"{_TAG}int", re.compile(f"^(?:{_WHOLE})$"), list("-+0123456789"))
_WithNumbers.add_implicit_resolver(f"{_TAG}float", re.compile(f"^(?:{_DECIMAL})$"), list("-+0123456789."))


def plain_yaml(text: str, *, with_numbers: bool = False) -> Any:
    """Plain data of one YAML document.

    Parameters
    ----------
    text : str
        At most `MOST_BYTES` long, `DEEPEST` levels deep, `MOST_VALUES` values once aliases are followed.
    with_numbers : bool
        Whether decimal numbers become numbers. By default every scalar but true, false and null stays text;
        base 8, 16 and 60, `1_000`, `yes`, `no` and days are text in any case, and so is every key.

    Raises
    ------
    NotYaml
        Has the line where one is known.

    Examples
    --------
    >>> plain_yaml("{const: 0010, at: 10:30, 0100: yes}")
    {'const': '0010', 'at': '10:30', '0100': 'yes'}
    >>> plain_yaml("{min_cell: 10, code: 010}", with_numbers=True)
    {'min_cell': 10, 'code': '010'}
    """
    if len(text) > MOST_BYTES:
        raise NotYaml(None)
    kind = _WithNumbers if with_numbers else _Loader
    try:
        _check_depth(text, kind)
        loader = kind(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _count(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else min(mark.line, text.count("\n")) + 1
        raise NotYaml(line) from error
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, NotYaml) else NotYaml(None) from error


def _check_depth(text: str, kind: Any) -> None:
    """Stop at the first bracket too deep: the parser itself takes ever longer with each level."""
    depth = 0
    for event in yaml.parse(text, kind):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise NotYaml(event.start_mark.line + 1 if event.start_mark else None)


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Values below a node, each alias counted anew; a node that holds itself has no end."""
    if id(node) in known:
        if not known[id(node)]:
            raise NotYaml(node.start_mark.line + 1)
        return known[id(node)]
    known[id(node)] = 0
    inside: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        inside = node.value
    elif isinstance(node, yaml.MappingNode):
        inside = [part for pair in node.value for part in pair]
    total = 1 + sum(_count(part, known) for part in inside)
    if total > MOST_VALUES:
        raise NotYaml(node.start_mark.line + 1)
    known[id(node)] = total
    return total
