"""Strict mode: limits that a collection's configuration puts on requests."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from . import payload_index
from .collection import Collection
from .errors import ApiError, bad_request
from .fields import Object
from .filters import field_conditions

_KINDS_OF_MATCH = {str: "keyword", int: "integer", bool: "bool"}


def of(collection: Collection) -> Object:
    """The limits in force; empty when strict mode is off."""
    config = collection.config.get("strict_mode_config") or {}
    return config if config.get("enabled") else {}


def check_limit(limits: Object, name: str, value: float | None, label: str) -> None:
    limit = limits.get(name)
    if limit is not None and value is not None and value > limit:
        raise _refused(
            f'Limit exceeded {value} > {limit} for "{label}"', f'Reduce the "{label}" parameter to or below {limit}.'
        )


def check_filter(collection: Collection, limits: Object, value: Any, *, writes: bool) -> None:
    if value is None or not limits:
        return
    conditions = list(field_conditions(value))
    if limits.get("unindexed_filtering_update" if writes else "unindexed_filtering_retrieve") is False:
        for condition in conditions:
            _check_indexed(collection, condition)
    maximum = limits.get("filter_max_conditions")
    if maximum is not None and len(conditions) > maximum:
        raise _refused(
            f"Filter condition limit reached ({len(conditions)} > {maximum})",
            "Reduce the amount of conditions of your filter.",
        )


def check_search(limits: Object, params: Any) -> None:
    """The `params` of a query or prefetch."""
    if not isinstance(params, dict):
        return
    check_limit(limits, "search_max_hnsw_ef", params.get("hnsw_ef"), "hnsw_ef")
    if limits.get("search_allow_exact") is False and params.get("exact"):
        raise _refused("Exact search disabled!", "Set exact=false.")


def _check_indexed(collection: Collection, condition: Object) -> None:
    key = condition.get("key")
    if not isinstance(key, str):
        return
    wanted = _fitting_index(condition)
    schema = collection.payload_schema.get(key)
    if wanted is not None and (schema is None or payload_index.type_name(schema) not in wanted):
        raise _refused(
            f'Index required but not found for "{key}" of one of the following types: [{", ".join(sorted(wanted))}]',
            "Create an index for this key or use a different filter.",
        )


def _fitting_index(condition: Object) -> set[str] | None:
    """The types of index that serve a condition; None where any does."""
    match = condition.get("match")
    if isinstance(match, dict):
        if match.keys() & {"text", "text_any", "phrase"}:
            return {"text"}
        sample = match.get("value", next(iter(match.get("any") or match.get("except") or []), ""))
        return {_KINDS_OF_MATCH[type(sample)]}
    if isinstance(bounds := condition.get("range"), dict):
        dates = any(isinstance(bound, str) for bound in bounds.values())
        return {"datetime"} if dates else {"float", "integer"}
    return None


def _refused(problem: str, remedy: str) -> ApiError:
    return bad_request(f"{problem}. Help: {remedy}")


class RateLimits:
    """Tokens per collection and direction: `limit` of them at first, as many again in a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[int, float, float]] = {}

    def take(self, collection: Collection, direction: str, tokens: int = 1) -> None:
        """`direction` is "read" or "write". Raises 429 when there are not enough tokens."""
        limit = of(collection).get(f"{direction}_rate_limit")
        key = (collection.name, direction)
        now = time.monotonic()
        with self._lock:
            if limit is None:
                self._buckets.pop(key, None)
                return
            known_limit, available, since = self._buckets.get(key, (limit, float(limit), now))
            if known_limit != limit:
                available, since = float(limit), now
            available = min(float(limit), available + (now - since) * limit / 60)
            if available < tokens:
                self._buckets[key] = (limit, available, now)
                raise _too_many(direction, tokens, available, limit)
            self._buckets[key] = (limit, available - tokens, now)


def _too_many(direction: str, tokens: int, available: float, limit: int) -> ApiError:
    wait = math.ceil((tokens - available) * 60 / limit)
    text = (
        f"Rate limiting exceeded: {direction.capitalize()} rate limit exceeded: Operation requires {tokens} tokens "
        f"but only {available:.1f} were available. Retry after {wait}s"
    )
    return ApiError(429, text, {"retry-after": str(wait)})
