"""The universal query: one or several, with prefetches and fusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import qdrant_edge as engine

from . import filters, formula, strict_mode, vectors
from .call import Call
from .collection import Collection
from .errors import ApiError, BodyError, bad_request, internal, not_found
from .fields import (
    Object,
    PointId,
    as_list,
    as_object,
    as_point_id,
    as_string,
    invalid_type,
    is_number,
    optional_bool,
    optional_float,
    optional_size,
    positive_size,
    uuid_id,
)
from .json_body import shortest_f32
from .read_api import order_by, record_json
from .selectors import payload_selector, vector_selector

DEFAULT_LIMIT = 10
DEFAULT_RRF_K = 2
DEFAULT_DIVERSITY = 0.5

_NO_QUERY = "Expected some form of vector, id, or a type of query"
# Kinds of query that Qdrant has and nobody here asks for.
_NOT_SERVED = ("recommend", "discover", "context", "relevance_feedback")


def query(call: Call) -> Object:
    request = _read(as_object(call.body, "struct QueryRequest"), "internal.")
    collection = call.collection
    limits = strict_mode.of(collection)
    strict_mode.check_limit(limits, "max_timeout", call.timeout, "timeout")
    _check_strictly(collection, limits, request)
    call.server.rate_limits.take(collection, "read")
    return _run(collection, request)


def query_batch(call: Call) -> list[Object]:
    """All or none: one bad query fails the batch."""
    searches = as_list(as_object(call.body, "struct QueryRequestBatch").get("searches"))
    requests = [
        _read(as_object(search, "struct QueryRequest"), f"searches[{index}].internal.")
        for index, search in enumerate(searches)
    ]
    if not requests:
        return []
    collection = call.collection
    limits = strict_mode.of(collection)
    strict_mode.check_limit(limits, "search_max_batchsize", len(requests), "search batch size")
    for request in requests:
        _check_strictly(collection, limits, request)
    call.server.rate_limits.take(collection, "read", len(requests))
    return [_run(collection, request) for request in requests]


@dataclass(frozen=True)
class _Step:
    """A query or a prefetch whose body has been read, but not yet held against a collection."""

    query: Any
    using: str | None
    filter: Any
    params: Any
    score_threshold: float | None
    limit: int
    prefetch: list[_Step]
    offset: int | None
    payload: Any
    vector: Any


def _read(body: Object, place: str) -> _Step:
    given = body.get("prefetch") or []
    prefetch = [
        _read(as_object(item, "struct Prefetch"), f"{place}prefetch[{index}].")
        for index, item in enumerate(given if isinstance(given, list) else [given])
    ]
    _check_query(body.get("query"), f"{place}query")
    filters.optional_filter(body)
    if body.get("lookup_from") is not None:
        raise _not_served("lookup_from")
    return _Step(
        query=body.get("query"),
        using=None if body.get("using") is None else as_string(body["using"]),
        filter=body.get("filter"),
        params=body.get("params"),
        score_threshold=optional_float(body, "score_threshold"),
        limit=positive_size(body, "limit", place, DEFAULT_LIMIT),
        prefetch=prefetch,
        offset=optional_size(body, "offset"),
        payload=payload_selector(body, default=False),
        vector=vector_selector(body),
    )


def _check_query(value: Any, place: str) -> None:
    if value is None or vectors.is_single(value):
        vectors.check_sparse(value, f"{place}.?")
        return
    if _is_id(value):
        as_point_id(value)
        return
    if not isinstance(value, dict):
        raise BodyError(_NO_QUERY)
    if "rrf" in value:
        positive_size(as_object(value["rrf"], "struct Rrf"), "k", f"{place}.rrf.", DEFAULT_RRF_K)
    elif value.get("fusion") in ("rrf", "dbsf") or value.get("sample") == "random":
        return
    elif "order_by" in value:
        order_by(value["order_by"])
    elif "formula" in value:
        formula.check(value["formula"])
    elif "nearest" in value and (_is_id(value["nearest"]) or vectors.is_single(value["nearest"])):
        _check_query(value["nearest"], f"{place}.nearest")
    elif kind := next((kind for kind in _NOT_SERVED if kind in value), None):
        raise _not_served(kind)
    else:
        raise BodyError(_NO_QUERY)


def _check_strictly(collection: Collection, limits: Object, step: _Step) -> None:
    if not limits:
        return
    for prefetch in step.prefetch:
        _check_strictly(collection, limits, prefetch)
    strict_mode.check_limit(limits, "max_query_limit", step.limit, "limit")
    strict_mode.check_filter(collection, limits, step.filter, writes=False)
    strict_mode.check_search(limits, step.params)


def _run(collection: Collection, step: _Step) -> Object:
    if step.prefetch and step.query is None:
        raise bad_request("A query is needed to merge the prefetches. Can't have prefetches without defining a query.")
    scoring, condition = _scoring(collection, step)
    request = engine.QueryRequest(
        limit=step.limit,
        offset=step.offset,
        query=scoring,
        prefetches=[_prefetch(collection, prefetch) for prefetch in step.prefetch],
        with_vector=step.vector,
        with_payload=step.payload,
        filter=condition,
        score_threshold=step.score_threshold,
        params=_search_params(step.params),
    )
    points = collection.read("query", lambda shard: shard.query(request))
    return {"points": [_scored_json(point, with_vector=step.vector is not False) for point in points]}


def _prefetch(collection: Collection, step: _Step) -> engine.Prefetch:
    scoring, condition = _scoring(collection, step)
    return engine.Prefetch(
        limit=step.limit,
        query=scoring,
        prefetches=[_prefetch(collection, prefetch) for prefetch in step.prefetch],
        params=_search_params(step.params),
        filter=condition,
        score_threshold=step.score_threshold,
    )


def _scoring(collection: Collection, step: _Step) -> tuple[Any, engine.Filter | None]:
    """The engine's query, and the filter to go with it: a point that is searched for by its id is left out."""
    condition = None if step.filter is None else filters.to_engine(step.filter)
    value = step.query
    if value is None:
        return None, condition
    if _is_id(value):
        return _by_id(collection, as_point_id(value), step.using, condition)
    if vectors.is_single(value):
        return engine.Query.Nearest(vectors.one(value, is_query=True), using=step.using), condition
    if "fusion" in value or "rrf" in value:
        if step.using is not None:
            raise bad_request("Fusion queries cannot be combined with the 'using' field.")
        return _fusion(value), condition
    if "order_by" in value:
        return order_by(value["order_by"]), condition
    if "formula" in value:
        return engine.Formula(formula.to_engine(value["formula"]), value.get("defaults") or {}), condition
    if "sample" in value:
        return engine.Sample.Random, condition
    return _nearest(collection, value, step, condition)


def _nearest(
    collection: Collection, value: Object, step: _Step, condition: engine.Filter | None
) -> tuple[Any, engine.Filter | None]:
    if _is_id(value["nearest"]):
        return _by_id(collection, as_point_id(value["nearest"]), step.using, condition)
    vector = vectors.one(value["nearest"], is_query=True)
    if value.get("mmr") is None:
        return engine.Query.Nearest(vector, using=step.using), condition
    mmr = as_object(value["mmr"], "struct Mmr")
    diversity = optional_float(mmr, "diversity")
    relevance = 1.0 - (DEFAULT_DIVERSITY if diversity is None else diversity)
    candidates = optional_size(mmr, "candidates_limit")
    return engine.Mmr(vector, relevance, step.limit if candidates is None else candidates, using=step.using), condition


def _by_id(
    collection: Collection, id: PointId, using: str | None, condition: engine.Filter | None
) -> tuple[Any, engine.Filter]:
    name = using or ""
    records = collection.read("retrieve", lambda shard: shard.retrieve([id], False, [name]))
    if not records:
        raise not_found(f"No point with id {id} found")
    stored = records[0].vector
    vector = stored.get(name) if isinstance(stored, dict) else stored
    if vector is None:
        raise not_found(f"Vector with name {name} for point {id} not found")
    others = engine.Filter(must=None if condition is None else [condition], must_not=[engine.HasIdCondition({id})])
    return engine.Query.Nearest(vector, using=using), others


def _fusion(value: Object) -> Any:
    if value.get("fusion") == "dbsf":
        return engine.Fusion.Dbsf()
    rrf = value.get("rrf") or {}
    weights = rrf.get("weights")
    if weights is not None and not all(is_number(weight) for weight in as_list(weights)):
        raise invalid_type(weights, "a sequence of f32")
    return engine.Fusion.Rrf(rrf.get("k") or DEFAULT_RRF_K, weights)


def _search_params(value: Any) -> engine.SearchParams | None:
    if value is None:
        return None
    params = as_object(value, "struct SearchParams")
    idf = params.get("idf")
    corpus = None if idf is None else filters.optional_filter(as_object(idf, "struct IdfParams"), "corpus")
    return engine.SearchParams(
        hnsw_ef=optional_size(params, "hnsw_ef"),
        exact=optional_bool(params, "exact") or False,
        indexed_only=optional_bool(params, "indexed_only") or False,
        idf=None if idf is None else engine.IdfParams(corpus),
    )


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return uuid_id(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _scored_json(point: Any, *, with_vector: bool) -> Object:
    shown = record_json(point)
    id = shown.pop("id")
    if not with_vector:
        # The engine leaves in what it needed for diversity.
        shown.pop("vector", None)
    return {"id": id, "version": point.version, "score": shortest_f32(point.score), **shown}


def _not_served(what: str) -> ApiError:
    return internal(f"`{what}` is not served here")
