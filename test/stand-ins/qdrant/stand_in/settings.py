"""Configuration by environment, with Qdrant's variable names (`QDRANT__SECTION__KEY`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """A variable has a value of the wrong type; the server does not start."""


@dataclass(frozen=True)
class Settings:
    """What the server was told. A name that is not known is ignored in silence, as Qdrant does."""

    host: str
    http_port: int
    metrics_port: int | None
    metrics_prefix: str
    api_key: str | None
    alt_api_key: str | None
    read_only_api_key: str | None
    enable_cors: bool
    max_request_bytes: int
    keep_alive_seconds: float
    request_head_seconds: float
    storage_path: Path
    recovery_mode: str | None
    max_collections: int | None
    log_level: str
    init_file: Path


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises `SettingsError` with Qdrant's wording for a value of the wrong type."""
    variables = {
        name[len("QDRANT__") :].lower().replace("__", "."): value
        for name, value in environment.items()
        if name.upper().startswith("QDRANT__")
    }

    def integer(key: str, default: int | None) -> int | None:
        value = variables.get(key)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit():
            raise SettingsError(
                f'invalid type: string "{value}", expected an integer for key `{key}` in the environment'
            )
        return int(value)

    def boolean(key: str, default: bool) -> bool:
        value = variables.get(key)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise SettingsError(
                f'invalid type: string "{value}", expected a boolean for key `{key}` in the environment'
            )
        return value.lower() == "true"

    # Not served, but a value of the wrong type stops the real server too.
    integer("service.grpc_port", 6334)
    boolean("telemetry_disabled", False)

    return Settings(
        host=variables.get("service.host", "0.0.0.0"),
        http_port=integer("service.http_port", 6333) or 0,
        metrics_port=integer("service.metrics_port", None),
        metrics_prefix=variables.get("service.metrics_prefix", ""),
        # An empty key is no key: authentication is off.
        api_key=variables.get("service.api_key") or None,
        alt_api_key=variables.get("service.alt_api_key") or None,
        read_only_api_key=variables.get("service.read_only_api_key") or None,
        enable_cors=boolean("service.enable_cors", True),
        max_request_bytes=(integer("service.max_request_size_mb", 32) or 0) * 1024 * 1024,
        keep_alive_seconds=float(integer("service.http_keep_alive_timeout_sec", 5) or 0),
        request_head_seconds=float(integer("service.http_client_request_timeout_sec", 5) or 0),
        storage_path=Path(variables.get("storage.storage_path", "./storage")),
        recovery_mode=variables.get("storage.recovery_mode"),
        max_collections=integer("storage.max_collections", None),
        log_level=variables.get("log_level", "INFO"),
        init_file=Path(environment.get("QDRANT_INIT_FILE_PATH", ".qdrant-initialized")),
    )
