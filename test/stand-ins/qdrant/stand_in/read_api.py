"""Reading points back: by id, page by page, counted, and values of a field counted."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from . import filters, strict_mode, vectors
from .call import Call
from .errors import bad_input, not_found
from .fields import (
    Object,
    PointId,
    as_choice,
    as_list,
    as_object,
    as_point_id,
    as_string,
    missing,
    optional_bool,
    positive_size,
    uuid_id,
)
from .selectors import payload_selector, vector_selector

DIRECTIONS = {"asc": engine.Direction.Asc, "desc": engine.Direction.Desc}
DEFAULT_LIMIT = 10


def retrieve(call: Call) -> list[Object]:
    body = as_object(call.body, "struct PointRequest")
    if "ids" not in body:
        raise missing("ids")
    ids = list(dict.fromkeys(as_point_id(point) for point in as_list(body["ids"])))
    payload, vector = payload_selector(body, default=False), vector_selector(body)
    collection = call.collection
    call.server.rate_limits.take(collection, "read")
    records = collection.read("retrieve", lambda shard: shard.retrieve(ids, payload, vector))
    found = {str(record.id): record for record in records}
    return [record_json(found[str(id)]) for id in ids if str(id) in found]


def get_point(call: Call) -> Object:
    text = call.path["id"]
    id: PointId | None = int(text) if text.isdigit() else uuid_id(text)
    if id is None:
        raise bad_input(f'Can not recognize "{text}" as point id')
    records = call.collection.read("retrieve", lambda shard: shard.retrieve([id], True, True))
    if not records:
        raise not_found(f"Point with id {id} does not exists!")
    return record_json(records[0])


def scroll(call: Call) -> Object:
    body = as_object(call.body, "struct ScrollRequest")
    limit = positive_size(body, "limit", "scroll_request.", DEFAULT_LIMIT)
    request = engine.ScrollRequest(
        offset=None if body.get("offset") is None else as_point_id(body["offset"]),
        limit=limit,
        filter=filters.optional_filter(body),
        with_payload=payload_selector(body, default=True),
        with_vector=vector_selector(body),
        order_by=None if body.get("order_by") is None else order_by(body["order_by"]),
    )
    collection = call.collection
    limits = strict_mode.of(collection)
    strict_mode.check_limit(limits, "max_query_limit", limit, "limit")
    strict_mode.check_filter(collection, limits, body.get("filter"), writes=False)
    call.server.rate_limits.take(collection, "read")
    records, following = collection.read("Scroll by ID", lambda shard: shard.scroll(request))
    return {
        "points": [record_json(record) for record in records],
        "next_page_offset": None if following is None else id_json(following),
    }


def count(call: Call) -> Object:
    body = as_object(call.body, "struct CountRequest")
    exact = optional_bool(body, "exact")
    request = engine.CountRequest(exact=True if exact is None else exact, filter=filters.optional_filter(body))
    collection = call.collection
    strict_mode.check_filter(collection, strict_mode.of(collection), body.get("filter"), writes=False)
    call.server.rate_limits.take(collection, "read")
    return {"count": collection.read("count", lambda shard: shard.count(request))}


def facet(call: Call) -> Object:
    body = as_object(call.body, "struct FacetRequest")
    if "key" not in body:
        raise missing("key")
    request = engine.FacetRequest(
        as_string(body["key"]),
        limit=positive_size(body, "limit", "facet_request.", DEFAULT_LIMIT),
        exact=optional_bool(body, "exact") or False,
        filter=filters.optional_filter(body),
    )
    collection = call.collection
    call.server.rate_limits.take(collection, "read")
    hits = collection.read("facet", lambda shard: shard.facet(request)).hits
    return {"hits": [{"value": _facet_value(hit.value), "count": hit.count} for hit in hits]}


def order_by(value: Any) -> engine.OrderBy:
    """A field's name, or `{"key", "direction"?, "start_from"?}`."""
    given = {"key": value} if isinstance(value, str) else as_object(value, "struct OrderBy")
    direction = given.get("direction")
    return engine.OrderBy(
        as_string(given.get("key")),
        None if direction is None else DIRECTIONS[as_choice(direction, DIRECTIONS)],
        given.get("start_from"),
    )


def id_json(id: Any) -> PointId:
    return id if isinstance(id, int) else str(id)


def record_json(record: Any) -> Object:
    """A stored point, with what was asked for."""
    shown: Object = {"id": id_json(record.id)}
    if record.payload is not None:
        shown["payload"] = record.payload
    if record.vector is not None:
        shown["vector"] = vectors.to_json(record.vector)
    if record.order_value is not None:
        shown["order_value"] = record.order_value
    return shown


def _facet_value(value: Any) -> str | int | bool:
    return value if isinstance(value, (str, int, bool)) else value._0
