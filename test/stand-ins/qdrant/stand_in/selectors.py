"""`with_payload` and `with_vector`: which parts of a point an answer carries."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from .errors import BodyError
from .fields import Object


def payload_selector(body: Object, *, default: bool) -> Any:
    """Never None: the engine has defaults of its own."""
    value = body.get("with_payload")
    if value is None:
        return default
    if isinstance(value, bool) or _is_names(value):
        return value
    if isinstance(value, dict) and _is_names(value.get("include")):
        return engine.PayloadSelector.Include(value["include"])
    if isinstance(value, dict) and _is_names(value.get("exclude")):
        return engine.PayloadSelector.Exclude(value["exclude"])
    raise BodyError("Expected a boolean, an array of strings, or an object with an include/exclude field")


def vector_selector(body: Object) -> Any:
    value = body.get("with_vector", body.get("with_vectors"))
    if value is None:
        return False
    if isinstance(value, bool) or _is_names(value):
        return value
    raise BodyError("Expected a boolean, or an array of strings")


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
