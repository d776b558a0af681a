"""From a request to a handler, and from its result or failure to an answer."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from . import collections_api, points_api, query_api, read_api, service_api
from .auth import Keys, Refused
from .call import Call, PathError, QueryError, Server, check_collection_name
from .errors import ApiError, BodyError, InvalidValue
from .http_server import BodyTooLarge, Request, Response
from .json_body import dump, end_of

log = logging.getLogger("router")

JSON = "application/json"
_COLLECTION = "/collections/{collection_name}"


@dataclass(frozen=True)
class Route:
    method: str
    endpoint: str
    handler: Callable[[Call], Any]
    # Bodies that the real server reads in one piece have no place in their errors.
    positioned: bool = True

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.endpoint)
        found = re.fullmatch(pattern, path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


ROUTES = (
    Route("GET", "/", service_api.root),
    Route("GET", "/healthz", service_api.healthy),
    Route("GET", "/livez", service_api.healthy),
    Route("GET", "/readyz", service_api.ready),
    Route("GET", "/metrics", service_api.metrics),
    Route("GET", "/collections", collections_api.list_collections),
    Route("GET", "/aliases", collections_api.list_aliases),
    Route("POST", "/collections/aliases", collections_api.change_aliases),
    Route("GET", _COLLECTION, collections_api.info),
    Route("PUT", _COLLECTION, collections_api.create),
    Route("PATCH", _COLLECTION, collections_api.update),
    Route("DELETE", _COLLECTION, collections_api.delete),
    Route("GET", f"{_COLLECTION}/exists", collections_api.exists),
    Route("GET", f"{_COLLECTION}/aliases", collections_api.list_collection_aliases),
    Route("PUT", f"{_COLLECTION}/index", collections_api.create_index),
    Route("DELETE", f"{_COLLECTION}/index/{{field_name}}", collections_api.delete_index),
    Route("PUT", f"{_COLLECTION}/points", points_api.upsert, positioned=False),
    Route("POST", f"{_COLLECTION}/points", read_api.retrieve),
    Route("POST", f"{_COLLECTION}/points/delete", points_api.delete, positioned=False),
    Route("POST", f"{_COLLECTION}/points/scroll", read_api.scroll),
    Route("POST", f"{_COLLECTION}/points/count", read_api.count),
    Route("POST", f"{_COLLECTION}/points/query", query_api.query),
    Route("POST", f"{_COLLECTION}/points/query/batch", query_api.query_batch),
    Route("POST", f"{_COLLECTION}/points/batch", points_api.batch),
    Route("POST", f"{_COLLECTION}/points/payload", points_api.set_payload, positioned=False),
    Route("PUT", f"{_COLLECTION}/points/payload", points_api.overwrite_payload, positioned=False),
    Route("PUT", f"{_COLLECTION}/points/vectors", points_api.update_vectors),
    Route("GET", f"{_COLLECTION}/points/{{id}}", read_api.get_point),
    Route("POST", f"{_COLLECTION}/facet", read_api.facet),
)


class Router:
    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def handle(self, request: Request) -> Response:
        started = time.perf_counter()
        raw_path, _, query = request.target.partition("?")
        path = re.sub(r"/+", "/", raw_path)
        path = path.rstrip("/") or "/"
        if _is_preflight(request):
            return Response(200)
        try:
            access = self._keys.check(path, request.headers)
        except Refused as refused:
            return Response(401, str(refused).encode())
        for route in ROUTES:
            if (parameters := route.match(request.method, path)) is not None:
                call = Call(self._server, request, parameters, query, access)
                response = self._answer(route, call, started)
                elapsed = time.perf_counter() - started
                collection = parameters.get("collection_name", "")
                self._server.metrics.observe(route.method, route.endpoint, response.status, collection, elapsed)
                return response
        return Response(404)

    def _answer(self, route: Route, call: Call, started: float) -> Response:
        try:
            if "collection_name" in call.path:
                check_collection_name(call.path["collection_name"], new=route.handler is collections_api.create)
            call.check_parameters()
            result = route.handler(call)
        except ApiError as error:
            return _failure(error.status, error.text, time.perf_counter() - started, error.headers)
        except PathError as error:
            return _failure(422, f"Validation error in path parameters: [{error}]")
        except QueryError as error:
            return _failure(400, f"Deserialize error in query parameters: {error}")
        except InvalidValue as error:
            return _failure(422, f"Validation error in JSON body: [{error}]")
        except BodyTooLarge as error:
            limit = self._server.settings.max_request_bytes
            text = f"JSON payload ({error.length} bytes) is larger than allowed (limit: {limit} bytes)."
            return _failure(400, text)
        except BodyError as error:
            place = end_of(call.raw_body) if error.positioned and route.positioned else ""
            return _failure(400, f"Format error in JSON body: {error.text}{place}")
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("%s %s failed", call.request.method, call.request.target)
            return _failure(500, f"Service internal error: {error}", time.perf_counter() - started)
        if isinstance(result, Response):
            return result
        envelope = {"result": result, "status": "ok", "time": time.perf_counter() - started}
        return Response(200, dump(envelope), JSON)


def metrics_only(server: Server) -> Callable[[Request], Response]:
    """The listener of `metrics_port`: /metrics for everybody, and nothing else."""

    def handle(request: Request) -> Response:
        if request.method == "GET" and request.target.partition("?")[0] == "/metrics":
            return Response(200, service_api.metrics_text(server).encode(), service_api.PLAIN_TEXT)
        return Response(404)

    return handle


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def _failure(status: int, text: str, seconds: float = 0.0, headers: dict[str, str] | None = None) -> Response:
    return Response(status, dump({"status": {"error": text}, "time": seconds}), JSON, headers or {})
