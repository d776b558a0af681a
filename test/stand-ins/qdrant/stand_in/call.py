"""A request after routing: path and query parameters, body, access; and what the handlers share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from . import json_body
from .auth import Access
from .collection import Collection
from .errors import forbidden
from .http_server import Request
from .metrics import RequestMetrics
from .settings import Settings
from .storage import Storage
from .strict_mode import RateLimits


@dataclass(frozen=True)
class Server:
    """What lives as long as the process."""

    settings: Settings
    storage: Storage
    metrics: RequestMetrics
    rate_limits: RateLimits


class PathError(Exception):
    """422: a path parameter is not acceptable."""


class QueryError(Exception):
    """400: a query parameter is not acceptable."""


@dataclass
class Call:
    server: Server
    request: Request
    path: dict[str, str]
    query: str
    access: Access
    raw_body: bytes = field(default=b"", init=False)

    @cached_property
    def body(self) -> Any:
        """Raises `BodyError`, also for an empty body."""
        self.raw_body = self.request.read_body()
        return json_body.parse(self.raw_body)

    @cached_property
    def _parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def wait(self) -> bool:
        value = self._parameters.get("wait", "false")
        if value not in ("true", "false"):
            raise QueryError("provided string was not `true` or `false`")
        return value == "true"

    @property
    def timeout(self) -> int | None:
        """Seconds, at least 1. Only checked: the engine has no deadline."""
        value = self._parameters.get("timeout")
        if value is None:
            return None
        if not re.fullmatch(r"\+?[0-9]+", value):
            raise QueryError("invalid digit found in string" if value else "cannot parse integer from empty string")
        if int(value) == 0:
            raise QueryError("invalid value: integer `0`, expected a nonzero u64")
        return int(value)

    @property
    def collection(self) -> Collection:
        return self.server.storage.get(self.path["collection_name"])

    def check_parameters(self) -> None:
        """Before the body is read, as the real server does."""
        _ = self.wait, self.timeout

    def need_full_access(self) -> None:
        if self.access is not Access.FULL:
            raise forbidden("Global manage access is required")


_NEVER = ("/", "\0")
_NEVER_IN_NEW = ("<", ">", ":", '"', "/", "\\", "|", "?", "*", "\0", "\x1f")


def check_collection_name(name: str, *, new: bool) -> None:
    problems = []
    if not 1 <= len(name) <= 255:
        shown = json_body.dump(name).decode()
        problems.append(f"collection_name: value {shown} invalid, must be from 1 to 255 characters")
    if (found := next((char for char in (_NEVER_IN_NEW if new else _NEVER) if char in name), None)) is not None:
        problems.append(f'collection_name: collection name cannot contain "{found}" char')
    if problems:
        raise PathError("; ".join(problems))
