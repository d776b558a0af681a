"""API keys: who may come in, and who may write."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from enum import Enum

from .settings import Settings

NO_KEY = "Must provide an API key or an Authorization bearer token"
WRONG_KEY = "Invalid API key or JWT"

_OPEN_EXACT = frozenset({"/", "/healthz"})
_OPEN_PREFIXES = ("/readyz", "/livez")


class Access(Enum):
    FULL = "full"
    READ = "read"


class Refused(Exception):
    """401; the message is the whole body."""


class Keys:
    """Without any key configured, everybody has full access."""

    def __init__(self, settings: Settings) -> None:
        self._write = [key for key in (settings.api_key, settings.alt_api_key) if key is not None]
        self._read = [key for key in (settings.read_only_api_key,) if key is not None]

    def check(self, path: str, headers: Mapping[str, str]) -> Access:
        if not self._write and not self._read:
            return Access.FULL
        if path in _OPEN_EXACT or path.startswith(_OPEN_PREFIXES):
            return Access.READ
        given = headers.get("api-key")
        if given is None:
            authorization = headers.get("authorization", "")
            if not authorization.startswith("Bearer "):
                raise Refused(NO_KEY)
            given = authorization.removeprefix("Bearer ")
        if _matches(given, self._write):
            return Access.FULL
        if _matches(given, self._read):
            return Access.READ
        raise Refused(WRONG_KEY)


def _matches(given: str, keys: list[str]) -> bool:
    return any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)
