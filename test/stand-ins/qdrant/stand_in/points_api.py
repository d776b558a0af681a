"""Writing points: upsert, delete, payload, vectors, and several of these in one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from . import collection_config, filters, strict_mode, vectors
from .call import Call
from .collection import Collection
from .errors import BodyError, InvalidValue, bad_request
from .fields import Object, as_choice, as_list, as_object, as_point_id, invalid_type, missing, no_variant

_MODES = {
    "upsert": engine.UpdateMode.Upsert,
    "insert_only": engine.UpdateMode.InsertOnly,
    "update_only": engine.UpdateMode.UpdateOnly,
}
# What the log calls an operation, by its name in a batch.
_POINTS, _PAYLOADS, _VECTORS = "Update Points", "Update Payloads", "Update Vectors"


def upsert(call: Call) -> Object:
    return _perform(call, "upsert", call.body)


def delete(call: Call) -> Object:
    return _perform(call, "delete", call.body)


def set_payload(call: Call) -> Object:
    return _perform(call, "set_payload", call.body)


def overwrite_payload(call: Call) -> Object:
    return _perform(call, "overwrite_payload", call.body)


def update_vectors(call: Call) -> Object:
    return _perform(call, "update_vectors", call.body)


def batch(call: Call) -> list[Object]:
    results = []
    for operation in as_list(as_object(call.body, "struct UpdateOperations").get("operations")):
        name = next((name for name in _OPERATIONS if isinstance(operation, dict) and name in operation), None)
        if name is None:
            raise no_variant("UpdateOperation")
        results.append(_perform(call, name, operation[name]))
    return results


def _perform(call: Call, name: str, body: Any) -> Object:
    action, prepare = _OPERATIONS[name]
    build = prepare(body)
    call.need_full_access()
    collection = call.collection
    limits = strict_mode.of(collection)
    strict_mode.check_limit(limits, "max_timeout", call.timeout, "timeout")
    operation = build(collection, limits)
    call.server.rate_limits.take(collection, "write")
    return collection.write(action, [operation], wait=call.wait)


# Each of these reads a body, which needs no collection, and gives back how to build the engine's operation.
Build = Callable[[Collection, Object], engine.UpdateOperation]
# Which points, their payload, the key to put it under.
Change = Callable[[Any, Object, Any], engine.UpdateOperation]


def _prepare_upsert(body: Any) -> Build:
    if not isinstance(body, dict) or not ("batch" in body or "points" in body):
        raise BodyError("Invalid PointInsertOperations format")
    given = _columns(as_object(body["batch"], "struct Batch")) if "batch" in body else as_list(body["points"])
    points = [_point(point, f"points[{index}].vector") for index, point in enumerate(given)]
    condition = filters.optional_filter(body, "update_filter")
    mode = None if body.get("update_mode") is None else _MODES[as_choice(body["update_mode"], _MODES)]

    def build(collection: Collection, limits: Object) -> engine.UpdateOperation:
        strict_mode.check_limit(limits, "upsert_max_batchsize", len(points), "upsert limit")
        if not points:
            raise bad_request("Empty update request")
        sizes = collection_config.dense_sizes(collection.config)
        converted = [
            engine.Point(point["id"], vectors.convert(point["vector"], sizes), point.get("payload")) for point in points
        ]
        # The engine takes a mode only together with a condition; the empty one holds for every point.
        needed = condition or (engine.Filter() if mode is not None else None)
        return engine.UpdateOperation.upsert_points(converted, needed, mode)

    return build


def _columns(batch: Object) -> list[Object]:
    ids, given, payloads = as_list(batch.get("ids")), batch.get("vectors"), batch.get("payloads")
    for column in given.values() if isinstance(given, dict) else [as_list(given)]:
        _check_length("vectors", ids, as_list(column))
    if isinstance(given, dict):
        rows = [{name: column[index] for name, column in given.items()} for index in range(len(ids))]
    else:
        rows = as_list(given)
    listed = as_list(payloads) if payloads is not None else [None] * len(ids)
    _check_length("payloads", ids, listed)
    return [{"id": id, "vector": row, "payload": payload} for id, row, payload in zip(ids, rows, listed, strict=True)]


def _check_length(what: str, ids: list[Any], column: list[Any]) -> None:
    if len(column) != len(ids):
        raise InvalidValue("batch.batch", f"number of ids and {what} must be equal ({len(ids)} != {len(column)})")


def _point(value: Any, place: str) -> Object:
    point = as_object(value, "struct PointStruct")
    if "id" not in point:
        raise missing("id")
    vector = point.get("vector", point.get("vectors"))
    if vector is None:
        raise missing("vector")
    read: Object = {"id": as_point_id(point["id"]), "vector": vectors.read(vector, place)}
    if point.get("payload") is not None:
        read["payload"] = as_object(point["payload"], "a map")
    return read


def _prepare_delete(body: Any) -> Build:
    if isinstance(body, dict) and isinstance(body.get("points"), list):
        ids = [as_point_id(point) for point in body["points"]]
        return lambda collection, limits: engine.UpdateOperation.delete_points(ids)
    if not isinstance(body, dict) or not isinstance(body.get("filter"), dict):
        raise no_variant("PointsSelector")
    condition = filters.to_engine(body["filter"])

    def build(collection: Collection, limits: Object) -> engine.UpdateOperation:
        strict_mode.check_filter(collection, limits, body["filter"], writes=True)
        return engine.UpdateOperation.delete_points_by_filter(condition)

    return build


def _prepare_payload(by_ids: Change, by_filter: Change) -> Callable[[Any], Build]:
    def prepare(value: Any) -> Build:
        body = as_object(value, "struct SetPayload")
        if "payload" not in body:
            raise missing("payload")
        payload, key = as_object(body["payload"], "a map"), body.get("key")
        if key is not None and not isinstance(key, str):
            raise invalid_type(key, "a string")
        ids = None if body.get("points") is None else [as_point_id(point) for point in as_list(body["points"])]
        condition = filters.optional_filter(body)
        if ids is None and condition is None:
            raise BodyError("Either list of point ids or filter must be provided")

        def build(collection: Collection, limits: Object) -> engine.UpdateOperation:
            strict_mode.check_filter(collection, limits, body.get("filter"), writes=True)
            chosen, change = (ids, by_ids) if ids is not None else (condition, by_filter)
            return change(chosen, payload, key)

        return build

    return prepare


def _prepare_vectors(value: Any) -> Build:
    body = as_object(value, "struct UpdateVectors")
    points = [_point(point, f"points[{index}].vector") for index, point in enumerate(as_list(body.get("points")))]
    condition = filters.optional_filter(body, "update_filter")

    def build(collection: Collection, limits: Object) -> engine.UpdateOperation:
        strict_mode.check_limit(limits, "upsert_max_batchsize", len(points), "update limit")
        changes = [engine.PointVectors(point["id"], vectors.convert(point["vector"], {})) for point in points]
        return engine.UpdateOperation.update_vectors(changes, condition)

    return build


_OPERATIONS: dict[str, tuple[str, Callable[[Any], Build]]] = {
    "upsert": (_POINTS, _prepare_upsert),
    "delete": (_POINTS, _prepare_delete),
    "set_payload": (
        _PAYLOADS,
        _prepare_payload(engine.UpdateOperation.set_payload, engine.UpdateOperation.set_payload_by_filter),
    ),
    "overwrite_payload": (
        _PAYLOADS,
        _prepare_payload(engine.UpdateOperation.overwrite_payload, engine.UpdateOperation.overwrite_payload_by_filter),
    ),
    "update_vectors": (_VECTORS, _prepare_vectors),
}
