"""Dataclasses from parsed YAML: every key is checked, and a wrong one is answered with the nearest right one."""

import contextlib
import difflib
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_mapping(kind: type[T], section: Any, where: str) -> T:
    """A dataclass from parsed YAML. @raises ValueError for an unknown, missing or wrongly typed key."""
    if not isinstance(section, Mapping):
        raise ValueError(f"{where or 'the file'}: expected keys and values, found {section!r}")
    types_by_name = get_type_hints(kind)
    prefix = f"{where}." if where else ""
    for name in section:
        if name not in types_by_name:
            near = difflib.get_close_matches(str(name), types_by_name, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(types_by_name)}"
            raise ValueError(f"{prefix}{name}: no such key; {hint}")
    values = {name: _value(types_by_name[name], value, f"{prefix}{name}") for name, value in section.items()}
    try:
        return kind(**values)
    except TypeError:
        required = {f.name for f in fields(kind) if f.name not in values}  # type: ignore[arg-type]
        raise ValueError(f"{where or 'the file'}: keys missing, among {', '.join(sorted(required))}") from None
    except ValueError as error:
        raise ValueError(f"{prefix}{error}") from None


def _kind_named(kinds: Sequence[Any], section: Any, where: str) -> Any:
    """The dataclass whose `kind` the section names; the first one if it names none."""
    names = {name: kind for kind in kinds for name in get_args(get_type_hints(kind)["kind"])}
    named = section.get("kind", next(iter(names))) if isinstance(section, Mapping) else next(iter(names))
    if named not in names:
        raise ValueError(f"{where}.kind: expected one of {', '.join(names)}; found {named!r}")
    return names[named]


def _value(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin is types.UnionType:
        kind = _kind_named(get_args(kind), value, where)
    if is_dataclass(kind):
        return from_mapping(kind, value, where)
    if origin is tuple:
        if isinstance(value, list):
            return tuple(_value(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    elif origin is Literal:
        if value in get_args(kind):
            return value
        raise ValueError(f"{where}: expected one of {', '.join(get_args(kind))}; found {value!r}")
    elif origin is not None and issubclass(origin, Mapping):
        if isinstance(value, Mapping):
            return value
    elif kind is float and type(value) in (int, float, str):
        # YAML 1.1 takes 1e-3, without a point, for a text.
        with contextlib.suppress(ValueError):
            return float(value)
    elif type(value) is kind:
        return value
    raise ValueError(f"{where}: expected {getattr(kind, '__name__', kind)}; found {value!r}")
