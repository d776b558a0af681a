"""Filters: from their JSON to the engine's conditions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import qdrant_edge as engine

from .errors import BodyError
from .fields import (
    Object,
    as_list,
    as_object,
    as_point_id,
    as_string,
    invalid_type,
    is_number,
    is_size,
    missing,
    no_variant,
)

_CLAUSES = ("should", "min_should", "must", "must_not")
_NO_CONDITION = (
    'Expected some form of condition, which can be a field condition (like {"key": ..., "match": ... }), or some '
    "other mentioned in the documentation: https://qdrant.tech/documentation/concepts/filtering/#filtering-conditions"
)


def optional_filter(body: Object, name: str = "filter") -> engine.Filter | None:
    value = body.get(name)
    return None if value is None else to_engine(value)


def to_engine(value: Any) -> engine.Filter:
    clauses = as_object(value, "struct Filter")
    for name in clauses:
        if name not in _CLAUSES:
            expected = ", ".join(f"`{clause}`" for clause in _CLAUSES)
            raise BodyError(f"unknown field `{name}`, expected one of {expected}")
    minimum = clauses.get("min_should")
    return engine.Filter(
        must=_conditions(clauses.get("must")),
        should=_conditions(clauses.get("should")),
        must_not=_conditions(clauses.get("must_not")),
        min_should=None if minimum is None else _min_should(as_object(minimum, "struct MinShould")),
    )


def field_conditions(value: Any) -> Iterator[Object]:
    """Every condition of a filter that was already read, the nested filters' included."""
    for name in _CLAUSES:
        clause = value.get(name)
        if name == "min_should" and clause is not None:
            clause = clause["conditions"]
        for condition in _one_or_many(clause):
            if any(inner in condition for inner in _CLAUSES):
                yield from field_conditions(condition)
            elif "nested" in condition:
                yield from field_conditions(condition["nested"]["filter"])
            else:
                yield condition


def condition(value: Any) -> Any:
    """One condition, as a filter's clause or as a formula's expression."""
    if not isinstance(value, dict):
        raise BodyError(_NO_CONDITION)
    if "key" in value:
        return _field(value)
    if "is_empty" in value:
        return engine.IsEmptyCondition(_key(value["is_empty"]))
    if "is_null" in value:
        return engine.IsNullCondition(_key(value["is_null"]))
    if "has_id" in value:
        return engine.HasIdCondition({as_point_id(point) for point in as_list(value["has_id"])})
    if "has_vector" in value:
        return engine.HasVectorCondition(as_string(value["has_vector"]))
    if "nested" in value:
        nested = as_object(value["nested"], "struct Nested")
        return engine.NestedCondition(_key(nested), to_engine(nested.get("filter")))
    if any(clause in value for clause in _CLAUSES):
        return to_engine(value)
    raise BodyError(_NO_CONDITION)


def _one_or_many(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _conditions(value: Any) -> list[Any] | None:
    return None if value is None else [condition(item) for item in _one_or_many(value)]


def _min_should(value: Object) -> engine.MinShould:
    count = value.get("min_count")
    if not is_size(count):
        raise missing("min_count") if count is None else invalid_type(count, "usize")
    return engine.MinShould([condition(item) for item in as_list(value.get("conditions"))], count)


def _key(value: Any) -> str:
    key = as_object(value, "a map").get("key")
    if key is None:
        raise missing("key")
    return as_string(key)


def _field(value: Object) -> Any:
    parts: dict[str, Any] = {}
    if value.get("match") is not None:
        parts["match"] = _match(value["match"])
    if value.get("range") is not None:
        parts["range"] = _range(value["range"])
    if value.get("values_count") is not None:
        parts["values_count"] = engine.ValuesCount(**_bounds(value["values_count"]))
    for flag in ("is_empty", "is_null"):
        if isinstance(value.get(flag), bool):
            parts[flag] = value[flag]
    if not parts:
        raise BodyError("At least one field condition must be specified")
    return _built(engine.FieldCondition, _key(value), **parts)


def _match(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("value"), bool):
            return engine.MatchValue(cast(bool, _Boolean(value["value"])))
        if isinstance(value.get("value"), (str, int)):
            return engine.MatchValue(value["value"])
        for name, kind in _TEXT_MATCHES.items():
            if isinstance(value.get(name), str):
                return kind(value[name])
        for name, many in (("any", engine.MatchAny), ("except", engine.MatchExcept)):
            if _is_uniform(value.get(name)):
                return many(value[name])
    raise no_variant("MatchInterface")


class _Boolean:
    """A boolean that the engine's binding takes for one: Python's own it takes for the integers 0 and 1.

    NumPy's is read as a boolean, and known by its type's name.
    """

    def __init__(self, value: bool) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return self._value


_Boolean.__module__, _Boolean.__name__ = "numpy", "bool_"


_TEXT_MATCHES = {
    "text": engine.MatchText,
    "text_any": engine.MatchTextAny,
    "phrase": engine.MatchPhrase,
    "prefix": engine.MatchPrefix,
}


def _is_uniform(value: Any) -> bool:
    return isinstance(value, list) and (
        all(isinstance(item, str) for item in value)
        or all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    )


def _range(value: Any) -> Any:
    bounds = _bounds(value)
    given = [bound for bound in bounds.values() if bound is not None]
    if all(is_number(bound) for bound in given):
        return engine.RangeFloat(**bounds)
    if all(isinstance(bound, str) for bound in given):
        return _built(engine.RangeDateTime, **bounds)
    raise no_variant("RangeInterface")


def _bounds(value: Any) -> Object:
    return {name: bound for name, bound in as_object(value, "a map").items() if name in ("lt", "gt", "gte", "lte")}


def _built(kind: Any, *arguments: Any, **named: Any) -> Any:
    """The engine checks paths and dates when a condition is built."""
    try:
        return kind(*arguments, **named)
    except ValueError as error:
        raise BodyError(str(error)) from error
