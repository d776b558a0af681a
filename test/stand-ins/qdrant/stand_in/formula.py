"""Formulas that rescore a query's results: from JSON to the engine's expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from . import filters
from .errors import BodyError
from .fields import Object, as_list, as_object, as_string, is_number, no_variant, optional_float

Expression = engine.Expression

_DECAYS = {
    "lin_decay": engine.DecayKind.Lin,
    "exp_decay": engine.DecayKind.Exp,
    "gauss_decay": engine.DecayKind.Gauss,
}


def check(value: Any) -> None:
    to_engine(value)


def to_engine(value: Any) -> Any:
    if is_number(value):
        return Expression.Constant(float(value))
    if isinstance(value, str):
        return Expression.Variable(value)
    if not isinstance(value, dict):
        raise no_variant("Expression")
    for name, build in _BUILDERS.items():
        if name in value:
            return build(value[name])
    for name, kind in _DECAYS.items():
        if name in value:
            return _decay(kind, as_object(value[name], "struct DecayParamsExpression"))
    try:
        return Expression.Condition(filters.condition(value))
    except BodyError as error:
        raise no_variant("Expression") from error


def _all(build: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    return lambda value: build([to_engine(item) for item in as_list(value)])


def _one(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: build(to_engine(value))


def _div(value: Any) -> Any:
    parts = as_object(value, "struct DivParams")
    by_zero = optional_float(parts, "by_zero_default")
    return Expression.Div(to_engine(parts.get("left")), to_engine(parts.get("right")), by_zero)


def _pow(value: Any) -> Any:
    parts = as_object(value, "struct PowParams")
    return Expression.Pow(to_engine(parts.get("base")), to_engine(parts.get("exponent")))


def _geo_distance(value: Any) -> Any:
    parts = as_object(value, "struct GeoDistanceParams")
    origin = as_object(parts.get("origin"), "struct GeoPoint")
    return Expression.GeoDistance(engine.GeoPoint(origin["lon"], origin["lat"]), as_string(parts.get("to")))


def _decay(kind: engine.DecayKind, value: Object) -> Any:
    target = value.get("target")
    return Expression.Decay(
        kind,
        to_engine(value.get("x")),
        None if target is None else to_engine(target),
        optional_float(value, "midpoint"),
        optional_float(value, "scale"),
    )


_BUILDERS: dict[str, Callable[[Any], Any]] = {
    "mult": _all(Expression.Mult),
    "sum": _all(Expression.Sum),
    "neg": _one(Expression.Neg),
    "abs": _one(Expression.Abs),
    "sqrt": _one(Expression.Sqrt),
    "exp": _one(Expression.Exp),
    "log10": _one(Expression.Log10),
    "ln": _one(Expression.Ln),
    "div": _div,
    "pow": _pow,
    "geo_distance": _geo_distance,
    "datetime": lambda value: Expression.Datetime(as_string(value)),
    "datetime_key": lambda value: Expression.DatetimeKey(as_string(value)),
}
