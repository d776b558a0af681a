"""What a collection is made with: its configuration as JSON, its changes, and the engine's part of it."""

from __future__ import annotations

import copy
from typing import Any

import qdrant_edge as engine

from .errors import InvalidValue, bad_input
from .fields import Object, as_choice, as_object, is_size, no_variant, optional_bool, optional_size

DISTANCES = {
    "Cosine": engine.Distance.Cosine,
    "Euclid": engine.Distance.Euclid,
    "Dot": engine.Distance.Dot,
    "Manhattan": engine.Distance.Manhattan,
}
MODIFIERS = {"none": None, "idf": engine.Modifier.Idf}
MAX_SIZE = 65536

_HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0, "on_disk": False}
_HNSW_FIELDS = (*_HNSW, "memory", "payload_m", "inline_storage")
_OPTIMIZER: Object = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": 10000,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
    "prevent_unoptimized": None,
}
_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}
_PARAMS = ("shard_number", "replication_factor", "write_consistency_factor")
_VECTOR_FIELDS = ("hnsw_config", "quantization_config", "on_disk", "memory", "datatype", "multivector_config")
_STRICT_LIMITS = (
    "max_query_limit",
    "max_timeout",
    "search_max_hnsw_ef",
    "upsert_max_batchsize",
    "search_max_batchsize",
    "read_rate_limit",
    "write_rate_limit",
    "max_points_count",
    "filter_max_conditions",
    "condition_max_size",
    "max_collection_vector_size_bytes",
    "max_collection_payload_size_bytes",
    "max_payload_index_count",
)
_STRICT_SWITCHES = ("enabled", "unindexed_filtering_retrieve", "unindexed_filtering_update", "search_allow_exact")


def create(body: Any) -> Object:
    """The whole configuration of a new collection. Fields that are not known are ignored, as Qdrant does."""
    request = as_object(body, "struct CreateCollection")
    vectors = _vectors(request.get("vectors"))
    sparse = _sparse_vectors(request.get("sparse_vectors"))
    params: Object = {"vectors": vectors}
    for name in _PARAMS:
        params[name] = optional_size(request, name, "u32") or 1
    on_disk_payload = optional_bool(request, "on_disk_payload")
    params["on_disk_payload"] = True if on_disk_payload is None else on_disk_payload
    if sparse is not None:
        params["sparse_vectors"] = sparse
    config: Object = {
        "params": params,
        "hnsw_config": _over(_HNSW, request.get("hnsw_config"), _HNSW_FIELDS),
        "optimizer_config": _over(_OPTIMIZER, request.get("optimizers_config"), _OPTIMIZER),
        "wal_config": _over(_WAL, request.get("wal_config"), _WAL),
        "quantization_config": request.get("quantization_config"),
    }
    if (strict := request.get("strict_mode_config")) is not None:
        config["strict_mode_config"] = _strict_mode(strict)
    if (metadata := request.get("metadata")) is not None:
        config["metadata"] = as_object(metadata, "a map")
    return config


def check_names(config: Object) -> None:
    for name in config["params"].get("sparse_vectors", {}):
        if name in dense_sizes(config):
            raise bad_input(f"Dense and sparse vector names must be unique - duplicate found with '{name}'")


def update(config: Object, body: Any) -> Object:
    """A changed copy. A vector's size and distance cannot change; asking for it has no effect."""
    request = as_object(body, "struct UpdateCollection")
    changed = copy.deepcopy(config)
    for name, defaults, key in (
        ("optimizers_config", _OPTIMIZER, "optimizer_config"),
        ("hnsw_config", _HNSW_FIELDS, "hnsw_config"),
    ):
        if request.get(name) is not None:
            changed[key] = _over(changed[key], request[name], defaults)
    if request.get("quantization_config") is not None:
        changed["quantization_config"] = request["quantization_config"]
    if request.get("params") is not None:
        changed["params"] = _over(changed["params"], request["params"], (*_PARAMS, "on_disk_payload"))
    for name, difference in as_object(request.get("vectors") or {}, "a map").items():
        if name not in dense_sizes(changed):
            raise bad_input(f"Not existing vector name error: {name}")
        tuned = {key: value for key, value in as_object(difference, "a map").items() if key in _VECTOR_FIELDS[:4]}
        _dense(changed)[name].update(tuned)
    for name, params in (_sparse_vectors(request.get("sparse_vectors")) or {}).items():
        if name not in changed["params"].get("sparse_vectors", {}):
            raise bad_input(f"Not existing vector name error: {name}")
        changed["params"]["sparse_vectors"][name].update(params)
    if request.get("strict_mode_config") is not None:
        changed["strict_mode_config"] = {
            **changed.get("strict_mode_config", {}),
            **_strict_mode(request["strict_mode_config"]),
        }
    if request.get("metadata") is not None:
        merged = {**changed.get("metadata", {}), **as_object(request["metadata"], "a map")}
        changed["metadata"] = {name: value for name, value in merged.items() if value is not None}
    return changed


def dense_sizes(config: Object) -> dict[str, int]:
    """Dimensions by vector name; the unnamed vector's name is empty."""
    return {name: params["size"] for name, params in _dense(config).items()}


def sparse_modifiers(config: Object) -> dict[str, str]:
    return {name: params.get("modifier", "none") for name, params in config["params"].get("sparse_vectors", {}).items()}


def to_engine(config: Object) -> engine.EdgeConfig:
    dense = {
        name: engine.EdgeVectorParams(size=params["size"], distance=DISTANCES[params["distance"]])
        for name, params in _dense(config).items()
    }
    sparse = {
        name: engine.EdgeSparseVectorParams(modifier=MODIFIERS[modifier])
        for name, modifier in sparse_modifiers(config).items()
    }
    if not dense and not sparse:
        # The engine wants one vector; a collection of payloads alone gets one that nobody can name.
        sparse = {"\u2060": engine.EdgeSparseVectorParams()}
    return engine.EdgeConfig(vectors=dense or None, sparse_vectors=sparse or None)


def _dense(config: Object) -> dict[str, Object]:
    vectors = config["params"]["vectors"]
    return {"": vectors} if "distance" in vectors and is_size(vectors.get("size")) else vectors


def _vectors(value: Any) -> Object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise no_variant("VectorsConfig")
    if _is_vector_params(value):
        return _vector_params(value, "vectors")
    if not all(_is_vector_params(params) for params in value.values()):
        raise no_variant("VectorsConfig")
    return {name: _vector_params(params, "vectors.?") for name, params in value.items()}


def _is_vector_params(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return is_size(value.get("size")) and value["size"] > 0 and value.get("distance") in DISTANCES


def _vector_params(value: Object, place: str) -> Object:
    if value["size"] > MAX_SIZE:
        raise InvalidValue(f"{place}.size", f"value {value['size']} invalid, must be from 1 to {MAX_SIZE}")
    known: Object = {"size": value["size"], "distance": value["distance"]}
    known.update({name: value[name] for name in _VECTOR_FIELDS if value.get(name) is not None})
    return known


def _sparse_vectors(value: Any) -> dict[str, Object] | None:
    if value is None:
        return None
    vectors: dict[str, Object] = {}
    for name, given in as_object(value, "a map").items():
        params = as_object(given, "struct SparseVectorParams")
        vectors[name] = {}
        if params.get("index") is not None:
            index = as_object(params["index"], "struct SparseIndexParams")
            fields = ("full_scan_threshold", "on_disk", "memory", "datatype")
            vectors[name]["index"] = {field: index[field] for field in fields if index.get(field) is not None}
        if params.get("modifier") is not None:
            vectors[name]["modifier"] = as_choice(params["modifier"], MODIFIERS)
    return vectors


def _over(base: Object, difference: Any, fields: Any) -> Object:
    if difference is None:
        return dict(base)
    given = as_object(difference, "a map")
    return {**base, **{name: given[name] for name in fields if given.get(name) is not None}}


def _strict_mode(value: Any) -> Object:
    given = as_object(value, "struct StrictModeConfig")
    limits = {name: optional_size(given, name) for name in _STRICT_LIMITS}
    switches = {name: optional_bool(given, name) for name in _STRICT_SWITCHES}
    return {name: value for name, value in {**limits, **switches}.items() if value is not None}
