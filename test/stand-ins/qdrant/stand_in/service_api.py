"""The endpoints that are about the server: version, health, metrics. Their answers have no envelope."""

from __future__ import annotations

import qdrant_edge as engine

from . import VERSION, collection_config, process_metrics
from .call import Call, Server
from .collection import Collection
from .errors import ApiError
from .http_server import Response
from .json_body import dump
from .metrics import Labels, Text

PLAIN_TEXT = "text/plain; charset=utf-8"


def root(call: Call) -> Response:
    return Response(200, dump({"title": "qdrant - vector search engine", "version": VERSION}), "application/json")


def healthy(call: Call) -> Response:
    return Response(200, b"healthz check passed", PLAIN_TEXT)


def ready(call: Call) -> Response:
    """True whenever it can be asked: the listener opens after the collections are loaded."""
    return Response(200, b"all shards are ready", PLAIN_TEXT)


def metrics(call: Call) -> Response:
    per_collection = "per_collection=true" in call.query.split("&")
    return Response(200, metrics_text(call.server, per_collection=per_collection).encode(), PLAIN_TEXT)


def metrics_text(server: Server, *, per_collection: bool = False) -> str:
    text = Text(server.settings.metrics_prefix)
    text.family("app_info", "gauge", "information about qdrant server", [({"name": "qdrant", "version": VERSION}, 1)])
    recovering = int(server.settings.recovery_mode is not None)
    text.family("app_status_recovery_mode", "gauge", "features enabled in qdrant server", [({}, recovering)])
    _write_collections(text, server.storage.collections())
    text.family("cluster_enabled", "gauge", "is cluster support enabled", [({}, 0)])
    server.metrics.write(text, per_collection=per_collection)
    process_metrics.write(text)
    return str(text)


def _write_collections(text: Text, collections: list[Collection]) -> None:
    vectors = [row for collection in collections for row in _vector_counts(collection)]
    by_id = [{"id": collection.name} for collection in collections]
    nothing: list[tuple[Labels, float]] = [(labels, 0) for labels in by_id]
    text.family("collections_total", "gauge", "number of collections", [({}, len(collections))])
    total = sum(count for _, count in vectors)
    text.family("collections_vector_total", "gauge", "total number of vectors in all collections", [({}, total)])
    text.family("collection_vectors", "gauge", "amount of vectors grouped by vector name", vectors)
    excluded: list[tuple[Labels, float]] = [
        ({"id": collection.name, "vector": name}, 0)
        for collection in collections
        for name in collection_config.dense_sizes(collection.config)
    ]
    text.family(
        "collection_indexed_only_excluded_points",
        "gauge",
        "amount of points excluded in indexed_only requests",
        excluded,
    )
    replicas = min(1, len(collections))
    for bound, help in (("min", "minimum"), ("max", "maximum")):
        text.family(
            f"collection_active_replicas_{bound}",
            "gauge",
            f"{help} number of active replicas across all shards",
            [({}, replicas)],
        )
    text.family(
        "collection_running_optimizations",
        "gauge",
        "number of currently running optimization tasks per collection",
        nothing,
    )
    points: list[tuple[Labels, float]] = [({"id": collection.name}, _points(collection)) for collection in collections]
    text.family("collection_points", "gauge", "approximate amount of points per collection", points)
    text.family("collection_dead_replicas", "gauge", "total amount of shard replicas in non-active state", [({}, 0)])
    for name, kind, help in (
        ("snapshot_creation_running", "gauge", "amount of snapshot creations that are currently running"),
        ("snapshot_recovery_running", "gauge", "amount of snapshot recovery operations currently running"),
        ("snapshot_created_total", "counter", "total amount of snapshots created"),
        ("collection_shard_transfer_incoming", "gauge", "incoming shard transfers currently running"),
        ("collection_shard_transfer_outgoing", "gauge", "outgoing shard transfers currently running"),
        ("collection_update_queue_length", "gauge", "number of pending operations in update queues per collection"),
        (
            "collection_update_queue_deferred_points", "gauge",
            "number of points currently hidden during read operations as they're not yet optimized",
        ),
    ):  # fmt: skip
        text.family(name, kind, help, nothing)


def _points(collection: Collection) -> int:
    return _counted(collection, None)


def _vector_counts(collection: Collection) -> list[tuple[Labels, float]]:
    names = [*collection_config.sparse_modifiers(collection.config), *collection_config.dense_sizes(collection.config)]
    return [
        ({"collection": collection.name, "vector": name}, _counted(collection, engine.HasVectorCondition(name)))
        for name in names
    ]


def _counted(collection: Collection, condition: engine.HasVectorCondition | None) -> int:
    """0 in recovery mode, when nothing can be counted."""
    request = engine.CountRequest(filter=None if condition is None else engine.Filter(must=[condition]))
    try:
        return collection.read("count", lambda shard: shard.count(request))
    except ApiError:
        return 0
