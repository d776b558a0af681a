"""Payload indexes: `field_schema` from JSON to the engine."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from . import bm25
from .errors import BodyError
from .fields import Object, no_variant

_TYPES: dict[str, tuple[Any, Any]] = {
    "keyword": (engine.PayloadSchemaType.Keyword, engine.KeywordIndexParams),
    "integer": (engine.PayloadSchemaType.Integer, engine.IntegerIndexParams),
    "float": (engine.PayloadSchemaType.Float, engine.FloatIndexParams),
    "geo": (engine.PayloadSchemaType.Geo, engine.GeoIndexParams),
    "text": (engine.PayloadSchemaType.Text, engine.TextIndexParams),
    "bool": (engine.PayloadSchemaType.Bool, engine.BoolIndexParams),
    "datetime": (engine.PayloadSchemaType.Datetime, engine.DatetimeIndexParams),
    "uuid": (engine.PayloadSchemaType.Uuid, engine.UuidIndexParams),
}
_PARAMETERS = (
    "is_tenant",
    "is_principal",
    "on_disk",
    "enable_hnsw",
    "prefix",
    "lookup",
    "range",
    "min_token_len",
    "max_token_len",
    "lowercase",
    "ascii_folding",
    "phrase_matching",
)


def to_engine(schema: Any) -> Any:
    """A type's name, or an object with `type` and its parameters."""
    if isinstance(schema, str) and schema in _TYPES:
        return _TYPES[schema][0]
    if not isinstance(schema, dict) or schema.get("type") not in _TYPES:
        raise no_variant("PayloadFieldSchema")
    chosen = {name: schema[name] for name in _PARAMETERS if schema.get(name) is not None}
    try:
        if schema.get("tokenizer") is not None:
            chosen["tokenizer"] = bm25.TOKENIZERS[schema["tokenizer"]]
        if schema.get("stopwords") is not None:
            chosen["stopwords"] = bm25.stopwords(schema["stopwords"])
        if schema.get("stemmer") is not None:
            chosen["stemmer"] = bm25.stemmer(schema["stemmer"])
        return _TYPES[schema["type"]][1](**chosen)
    except (KeyError, TypeError, BodyError) as error:
        raise no_variant("PayloadFieldSchema") from error


def type_name(schema: str | Object) -> str:
    return schema if isinstance(schema, str) else schema["type"]


def info(schema: str | Object, points: int) -> Object:
    """An index as the collection's information shows it."""
    described: Object = {"data_type": type_name(schema)}
    if isinstance(schema, dict):
        described["params"] = schema
    described["points"] = points
    return described
