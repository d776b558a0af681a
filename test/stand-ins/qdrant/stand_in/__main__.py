"""Start the server, and stop it gracefully on SIGTERM or SIGINT."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from typing import NoReturn

from . import VERSION
from .auth import Keys
from .call import Server
from .http_server import HttpServer, Transport
from .metrics import RequestMetrics
from .router import Router, metrics_only
from .settings import Settings, SettingsError, read_settings
from .storage import Storage
from .strict_mode import RateLimits

log = logging.getLogger("qdrant")

# How long a request that is still being sent may hold up the end.
SHUTDOWN_SECONDS = 30.0
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
# The exit status of the real server when it cannot load its collections.
CANNOT_LOAD = 101


def main() -> NoReturn:
    # Blocked before any thread exists, so that only the wait below receives them. As process 1 of a container the
    # kernel would otherwise drop a signal without a handler.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        _fail(1, str(error))
    logging.basicConfig(
        level=settings.log_level.upper() if settings.log_level.upper() in logging.getLevelNamesMapping() else "INFO",
        format="%(asctime)s.%(msecs)03dZ  %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
        stream=sys.stdout,
    )
    logging.Formatter.converter = time.gmtime
    print(f"Version: {VERSION}", flush=True)
    server = _load(settings)
    listeners = _listen(server)
    threads = [threading.Thread(target=_serve, args=(listener,), name="accept") for listener in listeners]
    for thread in threads:
        thread.start()
    log.info("Qdrant HTTP listening on %d", listeners[0].server_address[1])
    _mark_initialised(settings)

    received = signal.sigwait(STOP_SIGNALS)
    log.info("%s received; starting graceful shutdown", signal.Signals(received).name)
    _drain(listeners)
    server.storage.close()
    logging.shutdown()
    # Not sys.exit: threads of requests that never arrived whole must not hold up the end.
    os._exit(0)


def _load(settings: Settings) -> Server:
    try:
        storage = Storage(settings)
    except OSError as error:
        _fail(1, f"failed to use directory `{settings.storage_path}`: {error}")
    except Exception as error:  # the engine's own errors, and a configuration that is not JSON
        log.exception("Failed to load the collections")
        _fail(CANNOT_LOAD, str(error))
    return Server(settings, storage, RequestMetrics(), RateLimits())


def _listen(server: Server) -> list[HttpServer]:
    settings = server.settings
    transport = Transport(
        settings.keep_alive_seconds, settings.request_head_seconds, settings.max_request_bytes, settings.enable_cors
    )
    router = Router(server, Keys(settings))
    try:
        listeners = [HttpServer((settings.host, settings.http_port), router.handle, transport)]
        if settings.metrics_port is not None:
            without_cors = Transport(transport.keep_alive, transport.request_head, transport.max_body, cors=False)
            listeners.append(HttpServer((settings.host, settings.metrics_port), metrics_only(server), without_cors))
    except OSError as error:
        _fail(1, error.strerror or str(error))
    return listeners


def _serve(listener: HttpServer) -> None:
    listener.serve_forever(poll_interval=0.1)


def _drain(listeners: list[HttpServer]) -> None:
    drains = [threading.Thread(target=listener.drain, daemon=True) for listener in listeners]
    for drain in drains:
        drain.start()
    for drain in drains:
        drain.join(SHUTDOWN_SECONDS)


def _mark_initialised(settings: Settings) -> None:
    """Tells the entrypoint that a kill from now on is not one during start-up."""
    try:
        settings.init_file.touch()
    except OSError as error:
        log.warning("Failed to create init file indicator: %s", error)


def _fail(status: int, text: str) -> NoReturn:
    print(f"Error: {text}", file=sys.stderr, flush=True)
    os._exit(status)


if __name__ == "__main__":
    main()
