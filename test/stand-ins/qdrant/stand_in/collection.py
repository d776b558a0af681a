"""One collection on disk: a shard of the engine, with its configuration beside it."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as engine

from . import collection_config, payload_index
from .errors import from_engine, internal
from .fields import Object

T = TypeVar("T")

_CONFIG = "config.json"
_SHARD = "0"
_COUNTER = "operations"


class Collection:
    """Writes go through `write`, one at a time; reads may run beside them.

    A write is in the engine's log before it is answered, so it survives the death of the process whether or not
    the client waited for it. As in the real server, an operation that the engine refuses stays in that log: it is
    applied without its bad parts when the log is replayed.
    """

    def __init__(
        self, name: str, path: Path, state: Object, shard: engine.EdgeShard | None, recovery: str | None
    ) -> None:
        self.name = name
        self.path = path
        self.config: Object = state["config"]
        self.payload_schema: dict[str, str | Object] = state["payload_schema"]
        self._shard = shard
        self._recovery = recovery
        self._operations = _Counter(path / _COUNTER)
        self._writing = threading.Lock()
        self._unflushed = False
        self._refused = False

    @classmethod
    def create(cls, name: str, path: Path, config: Object) -> Collection:
        (path / _SHARD).mkdir(parents=True)
        shard = engine.EdgeShard.create(str(path / _SHARD), collection_config.to_engine(config))
        collection = cls(name, path, {"config": config, "payload_schema": {}}, shard, None)
        # Number 0 is spent on the creation itself, so that the first write of a client is number 1.
        collection._apply([engine.UpdateOperation.delete_points([])])
        # Last: a folder without a configuration is a creation that was never answered.
        collection._save()
        return collection

    @classmethod
    def load(cls, path: Path, recovery: str | None) -> Collection | None:
        """Replays the log. In recovery mode (`recovery` is the operator's reason) the shard stays closed."""
        if not (path / _CONFIG).exists():
            shutil.rmtree(path)
            return None
        state = json.loads((path / _CONFIG).read_text("utf-8"))
        shard = engine.EdgeShard.load(str(path / _SHARD)) if recovery is None else None
        return cls(state["name"], path, state, shard, recovery)

    def read(self, action: str, query: Callable[[engine.EdgeShard], T]) -> T:
        """`action` names what could not be done, in recovery mode."""
        if self._shard is None:
            refusal = internal(f"Failed to {action},  {self._recovery}").text
            raise internal(f"1 of 1 read operations failed:\n  {refusal}")
        try:
            return query(self._shard)
        except Exception as error:  # the engine has no exception types of its own
            raise from_engine(error) from error

    def write(self, action: str, operations: list[Any], *, wait: bool) -> Object:
        """Apply in order and answer with the last one's number. Without `wait`, a refusal is not reported."""
        if self._shard is None:
            raise internal(f"Failed to {action},  {self._recovery}")
        with self._writing:
            number, refusal = self._apply(operations)
        if refusal is not None and wait:
            raise from_engine(refusal) from refusal
        return {"operation_id": number, "status": "completed" if wait else "acknowledged"}

    def create_index(self, field: str, schema: str | Object, *, wait: bool) -> Object:
        operation = engine.UpdateOperation.create_field_index(field, payload_index.to_engine(schema))
        # The real server logs an index twice: once for the collection, once for its shard.
        result = self.write("Update Index", [operation, operation], wait=wait)
        with self._writing:
            self.payload_schema[field] = schema
            self._save()
        return result

    def delete_index(self, field: str, *, wait: bool) -> Object:
        operation = engine.UpdateOperation.delete_field_index(field)
        result = self.write("Update Index", [operation, operation], wait=wait)
        with self._writing:
            self.payload_schema.pop(field, None)
            self._save()
        return result

    def reconfigure(self, change: Callable[[Object], Object]) -> None:
        """`change` makes the new configuration from the present one."""
        with self._writing:
            config = change(self.config)
            if collection_config.sparse_modifiers(config) != collection_config.sparse_modifiers(self.config):
                self._rebuild(config)
            self.config = config
            self._save()

    def info(self) -> Object:
        info = self.read("Get Info", lambda shard: shard.info())
        points = {field: index.points for field, index in info.payload_schema.items()}
        return {
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": info.indexed_vectors_count,
            "points_count": info.points_count,
            "segments_count": info.segments_count,
            "config": self.config,
            "payload_schema": {
                field: payload_index.info(schema, points.get(field, 0)) for field, schema in self.payload_schema.items()
            },
            "update_queue": {"length": 0},
        }

    def flush(self) -> None:
        """Write the segments out and let the log forget them; not while the log holds a refused operation."""
        with self._writing:
            if self._shard is not None and self._unflushed and not self._refused:
                self._shard.flush()
                self._unflushed = False

    def delete(self) -> None:
        with self._writing:
            if self._shard is not None:
                self._shard.close()
            self._unflushed = False
            shutil.rmtree(self.path)

    def _apply(self, operations: list[Any]) -> tuple[int, Exception | None]:
        assert self._shard is not None
        refusal: Exception | None = None
        for operation in operations:
            try:
                self._shard.update(operation)
            except Exception as error:  # the engine has no exception types of its own
                refusal = error
                self._refused = True
            self._operations.advance()
        self._unflushed = True
        return self._operations.value - 1, refusal

    def _save(self) -> None:
        state = {"name": self.name, "config": self.config, "payload_schema": self.payload_schema}
        write_atomically(self.path / _CONFIG, json.dumps(state, ensure_ascii=False))

    def _rebuild(self, config: Object) -> None:
        """Copy into a new shard: the engine fixes a sparse vector's modifier when the shard is made.

        The copy takes as many operations as the original had, so that numbers go on from where they were.
        """
        if self._shard is None:
            raise internal(f"Failed to Update optimizer config,  {self._recovery}")
        fresh = self.path / "rebuilt"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        points, _ = self._shard.scroll(engine.ScrollRequest(limit=2**32, with_payload=True, with_vector=True))
        copy = engine.EdgeShard.create(str(fresh), collection_config.to_engine(config))
        indexes = [
            engine.UpdateOperation.create_field_index(field, payload_index.to_engine(schema))
            for field, schema in self.payload_schema.items()
        ]
        insert = engine.UpdateOperation.upsert_points(
            [engine.Point(point.id, point.vector or {}, point.payload) for point in points]
        )
        padding = self._operations.value - len(indexes) - 1
        for operation in [*indexes, *[engine.UpdateOperation.delete_points([])] * padding, insert]:
            copy.update(operation)
        copy.close()
        self._shard.close()
        shutil.rmtree(self.path / _SHARD)
        fresh.rename(self.path / _SHARD)
        self._shard = engine.EdgeShard.load(str(self.path / _SHARD))


class _Counter:
    """A number in a mapped file: it costs nothing to advance and outlives the process."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(descriptor, 8)
            self._memory = mmap.mmap(descriptor, 8)
        finally:
            os.close(descriptor)

    @property
    def value(self) -> int:
        number: int = struct.unpack("<Q", self._memory[:8])[0]
        return number

    def advance(self) -> None:
        self._memory[:8] = struct.pack("<Q", self.value + 1)


def write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
