"""Reading a YAML file into a pydantic model, with faults an operator can act on.

Every fault is one sentence with file, line, key, what was expected and what was found:

    config/markets/x.yaml:12: rss_feeds.3: expected a URL that begins with http:// or https://, found 'foo'

Only plain YAML is read (`SafeLoader`), a key may stand only once in a mapping, unknown keys are faults.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, SecretStr, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]

SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file.

    Attributes:
        path: the file, as it was named.
        line: 1-based; None where the file as a whole is meant.
        key: dotted path of the key, list items by index; empty for the whole file.
        text: what was expected and what was found.
    """

    path: Path
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return ": ".join(part for part in (place, self.key, self.text) if part)


class ConfigError(Exception):
    """A configuration file cannot be used; the message has one sentence per fault."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's data, and where in the file each part of it stands.

    Attributes:
        path: the file, as it was named.
        data: the top-level mapping.
        root: PyYAML's node tree, which knows the lines.
    """

    path: Path
    data: dict[str, Any]
    root: yaml.MappingNode

    def line(self, location: Location) -> int:
        """The line of a key or list item, or of the nearest part above it that stands in the file."""
        node: yaml.Node = self.root
        line: int = node.start_mark.line
        for part in location:
            found = next((pair for pair in _children(node) if pair[0] == str(part)), None)
            if (
                found is not None
            ):  # absent parts (a missing key, pydantic's names of union members) are passed over
                _, line, node = found
        return line + 1

    def fault(self, location: Location, text: str) -> Fault:
        """A fault at this place of the file."""
        key = ".".join(shown_key(part) for part in location)
        return Fault(self.path, self.line(location), key, text)


def load_model(path: Path, model: type[Model]) -> Model:
    """The file as an instance of the model.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or does not fit the model; with all faults.
    """
    return validate(read_yaml(path), model)


def validate(file: YamlFile, model: type[Model], data: Mapping[str, Any] | None = None) -> Model:
    """The file's data as an instance of the model.

    Args:
        file: knows the lines.
        model: what the data must fit.
        data: used instead of the file's own data, for a caller that lays other sources over it.

    Raises:
        ConfigError: as `load_model`.
    """
    try:
        return model.model_validate(file.data if data is None else data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    faults = [file.fault(detail["loc"], _sentence(detail, model)) for detail in details]
    raise ConfigError(*sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0))


def read_yaml(path: Path) -> YamlFile:
    """The file's top-level mapping, with its lines.

    Raises:
        ConfigError: the file cannot be read, or is not one YAML mapping with unique text keys.
    """
    text = _text(path)
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise ConfigError(Fault(path, None, "", "expected settings, found an empty file"))
        if not isinstance(root, yaml.MappingNode):
            found = "a list" if isinstance(root, yaml.SequenceNode) else shown(root.value)
            raise ConfigError(
                Fault(path, None, "", f"expected keys with values at the top level, found {found}")
            )
        if faults := list(_key_faults(path, root)):
            raise ConfigError(*faults)
        return YamlFile(path, loader.construct_document(root), root)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_fault(path, error)) from error
    except ValueError as error:  # for example the date 2026-13-45, or a number of 5,000 digits
        raise ConfigError(Fault(path, None, "", f"a value cannot be read: {_one_line(error)}")) from error
    except RecursionError as error:
        raise ConfigError(Fault(path, None, "", "expected a few levels, found thousands nested")) from error
    finally:
        loader.dispose()


def shown(value: object) -> str:
    """A foreign value as it may stand in a sentence: cleaned, shortened, containers only named."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list | tuple | set):
        return "a list" if value else "an empty list"
    text = repr(value) if isinstance(value, str) else _one_line(value)  # repr escapes control characters
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def shown_key(part: str | int) -> str:
    """A foreign key as it may stand in a sentence."""
    text = repr(str(part))[1:-1]
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


# -- reading -----------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ConfigError(
            Fault(path, line, "", f"expected UTF-8 text, found the byte 0x{byte:02x}")
        ) from error
    except FileNotFoundError as error:
        raise ConfigError(Fault(path, None, "", "expected a file, found none")) from error
    except IsADirectoryError as error:
        raise ConfigError(Fault(path, None, "", "expected a file, found a folder")) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = error.strerror if isinstance(error, OSError) and error.strerror else _one_line(error)
        raise ConfigError(Fault(path, None, "", f"cannot be read: {why.lower()}")) from error
    if bad := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        code = f"U+{ord(bad.group()):04X}"
        raise ConfigError(Fault(path, line, "", f"expected text, found the control character {code}"))
    return text


def _syntax_fault(path: Path, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    column = f", column {mark.column + 1}" if mark else ""
    if isinstance(error, yaml.constructor.ConstructorError) and "tag" in str(error.problem):
        return Fault(path, line, "", f"expected plain values, found a YAML tag{column}")
    context = f" {error.context}" if error.context else ""
    return Fault(path, line, "", f"not valid YAML: {_one_line(error.problem)}{context}{column}")


def _key_faults(path: Path, root: yaml.Node) -> Iterator[Fault]:
    """Keys that stand twice in one mapping, and keys that are no text."""
    seen_nodes: set[int] = set()  # an alias may lead back to a node above it
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen_nodes:
            continue
        seen_nodes.add(id(node))
        lines: dict[str, int] = {}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            line = key.start_mark.line + 1
            waiting.append(value)
            if not isinstance(key, yaml.ScalarNode):
                yield Fault(path, line, "", "expected a key of plain text, found a list or a group of keys")
            elif key.value in lines:
                text = f"expected each key once, found it again (first in line {lines[key.value]})"
                yield Fault(path, line, shown_key(key.value), text)
            else:
                lines[key.value] = line
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)


def _children(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    """Key or index, line, and node of each part."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value.start_mark.line, value


def _one_line(value: object) -> str:
    return " ".join(re.sub(r"[^\x20-\x7e\xa0-\U0010ffff]", " ", str(value)).split())


# -- pydantic's errors in words ----------------------------------------------------------------------

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a group of keys",
    "mapping_type": "a group of keys",
    "model_type": "a group of keys",
    "model_attributes_type": "a group of keys",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "string_pattern_mismatch": "text of the form {pattern}",
}


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, found = detail["type"], detail["input"]
    if kind == "missing":
        return "expected a value, found no such key"
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], model)
    if kind == "value_error":  # our own validators; theirs is the whole sentence up to what was found
        expected = str(detail["ctx"]["error"])
    elif kind in _EXPECTED:
        expected = "expected " + _EXPECTED[kind].format_map(detail.get("ctx", {}))
    else:
        expected = re.sub(r"^Input should be ", "expected ", detail["msg"])
    if ", found " in expected:
        return expected
    return f"{expected}, found {_found(detail['loc'], found, model)}{_hint(kind, found)}"


def _found(location: Location, value: object, model: type[BaseModel]) -> str:
    if isinstance(value, SecretStr) or SecretStr in set(_types_at(location, model)):
        return "a value that is kept secret"
    if isinstance(value, list | tuple) and value:
        return f"a list of {len(value)}"
    return shown(value)


def _hint(kind: str, value: object) -> str:
    # In YAML 1.1 a bare no, off or 12:30 is not text (https://yaml.org/type/bool.html).
    return " (put it in quotes to make it text)" if kind == "string_type" and not _is_container(value) else ""


def _is_container(value: object) -> bool:
    return value is None or isinstance(value, dict | list)


def _unknown_key(location: Location, model: type[BaseModel]) -> str:
    known = [
        name
        for parent in _types_at(location[:-1], model)
        if isinstance(parent, type) and issubclass(parent, BaseModel)
        for name in parent.model_fields
    ]
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    if near:
        return f"unknown key; did you mean {near[0]}?"
    return f"unknown key; known are {', '.join(sorted(known))}" if known else "unknown key"


def _types_at(location: Location, model: type[BaseModel]) -> Iterator[Any]:
    """The types that stand at this place of the model: members of unions singly, values of containers."""
    current: list[Any] = [model]
    for part in location:
        current = [inner for kind in current for inner in _step(kind, part)] or current
    yield from current


def _step(kind: Any, part: str | int) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if part in kind.model_fields:
            yield from _members(kind.model_fields[str(part)].annotation)
    elif typing.get_origin(kind) in {dict, list, tuple, set, frozenset}:
        yield from _members(next((arg for arg in reversed(typing.get_args(kind)) if arg is not ...), None))


def _members(annotation: Any) -> Iterator[Any]:
    origin = typing.get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        for member in typing.get_args(annotation):
            yield from _members(member)
    elif origin is typing.Annotated:
        yield from _members(typing.get_args(annotation)[0])
    else:
        yield annotation
