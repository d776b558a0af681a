"""Vectors of a point: from JSON to the engine's values, and back."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from . import bm25
from .errors import InvalidValue, bad_input, bad_request
from .fields import Object, is_number, no_variant
from .json_body import shortest_f32

# What the engine takes for one vector.
EngineVector = Any
# Sizes of the dense vectors by name; the unnamed one is "".
Sizes = dict[str, int]


def read(value: Any, place: str) -> Any:
    """Check the JSON of `vector` and give it back. Raises 400 for a wrong shape, 422 for wrong values."""
    if _is_dense(value) or _is_multi(value):
        return value
    if not isinstance(value, dict):
        raise no_variant("VectorStruct")
    if _is_document(value):
        return value
    problems: list[InvalidValue] = []
    for vector in value.values():
        if _is_sparse(vector):
            problems.extend(_sparse_problems(vector, f"{place}.?"))
        elif isinstance(vector, list) and not vector:
            problems.append(InvalidValue(f"{place}.?.vector", "dense vector must not be empty"))
        elif not (_is_dense(vector) or _is_multi(vector) or _is_document(vector)):
            raise no_variant("VectorStruct")
    if problems:
        raise problems[0]
    return value


def convert(value: Any, sizes: Sizes) -> EngineVector:
    """The engine's form of a vector that `read` let through: texts embedded, dimensions checked."""
    if isinstance(value, list):
        _check_size(value, "", sizes)
        return value
    if _is_document(value):
        bm25.embed(value, is_query=False)
        raise bad_request("Sparse vector from document inference should be named")
    converted: dict[str, EngineVector] = {name: one(vector) for name, vector in value.items()}
    for name, vector in value.items():
        if isinstance(vector, list):
            _check_size(vector, name, sizes)
    return converted


def one(value: Any, *, is_query: bool = False) -> EngineVector:
    """A single vector: dense numbers, `{indices, values}`, or a text to embed."""
    if isinstance(value, list):
        return value
    if "indices" in value:
        return engine.SparseVector(value["indices"], value["values"])
    return bm25.embed(value, is_query=is_query)


def is_single(value: Any) -> bool:
    """Whether a query's value is a vector in itself, as opposed to a point id or a kind of query."""
    return (
        _is_dense(value) or _is_multi(value) or (isinstance(value, dict) and (_is_sparse(value) or _is_document(value)))
    )


def check_sparse(value: Any, place: str) -> None:
    if isinstance(value, dict) and _is_sparse(value):
        for problem in _sparse_problems(value, place):
            raise problem


def to_json(stored: Any) -> Any:
    """The stored vectors in the answer's form: names to dense or sparse, or one unnamed list."""
    if isinstance(stored, dict):
        if set(stored) == {""}:
            return to_json(stored[""])
        return {name: to_json(stored[name]) for name in sorted(stored)}
    if isinstance(stored, engine.SparseVector):
        return {"indices": list(stored.indices), "values": [shortest_f32(value) for value in stored.values]}
    if stored and isinstance(stored[0], list):
        return [[shortest_f32(number) for number in row] for row in stored]
    return [shortest_f32(number) for number in stored]


def _check_size(vector: list[Any], name: str, sizes: Sizes) -> None:
    """Before anything is written: the whole request is refused then."""
    expected = sizes.get(name)
    if expected is None:
        return
    for row in vector if vector and isinstance(vector[0], list) else [vector]:
        if len(row) != expected:
            where = f" for vector '{name}'" if name else ""
            raise bad_input(f"Vector dimension error: expected dim: {expected}, got {len(row)}{where}")


def _is_dense(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(is_number(number) for number in value)


def _is_multi(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_dense(row) for row in value)


def _is_sparse(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    indices, values = value.get("indices"), value.get("values")
    return (
        isinstance(indices, list)
        and isinstance(values, list)
        and all(isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 2**32 for index in indices)
        and all(is_number(number) for number in values)
    )


def _is_document(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("model"), str):
        return False
    options = value.get("options")
    if options is not None and not isinstance(options, dict):
        return False
    return isinstance(value.get("text"), str) or "image" in value or "object" in value


def _sparse_problems(vector: Object, place: str) -> list[InvalidValue]:
    if len(vector["indices"]) != len(vector["values"]):
        return [InvalidValue(f"{place}.values", "Validation error: must be the same length as indices [{}]")]
    if len(set(vector["indices"])) != len(vector["indices"]):
        return [InvalidValue(f"{place}.indices", "Validation error: must be unique [{}]")]
    return []
