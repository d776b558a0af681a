"""The HTTP side: who is let in, what is refused, and recorded answers for the rest."""
import json
import os
import re
import secrets
import signal
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .recording import ANSWERS, METRICS, MODEL, key_of

GUARDED = ("/v1", "/v2", "/inference", "/cohere")
GET, POST = "GET", "POST"
ROUTES = {
    "/health": (GET,),
    "/ping": (GET, POST),
    "/version": (GET,),
    "/load": (GET,),
    "/metrics": (GET,),
    "/v1/models": (GET,),
    "/v1/completions": (POST,),
    "/v1/chat/completions": (POST,),
    "/invocations": (POST,),
    "/tokenize": (POST,),
}
# Words of a prompt that make the stand-in fail as the real server was seen to.
FAIL, SILENCE, DIE = "[stand-in: fail]", "[stand-in: silence]", "[stand-in: die]"
ENGINE_ERROR = {
    "error": {
        "message": "EngineCore encountered an issue. See stack trace (above) for the root cause.",
        "type": "InternalServerError",
        "param": None,
        "code": 500,
    }
}


@dataclass
class Settings:
    host: str
    port: int
    root: str
    names: list
    keys: list
    max_model_len: int
    keep_alive_seconds: int
    shutdown_seconds: int


def refusal(status, message, kind, param=None):
    return status, {"error": {"message": message, "type": kind, "param": param, "code": status}}


class Gone(Exception):
    """The client closed its connection."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An idle connection is closed without a word.
    timeout = 5

    def version_string(self):
        return "uvicorn"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.deal()

    def do_POST(self):
        self.deal()

    def deal(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("utf-8", "replace")
        path = self.path.partition("?")[0]
        state = self.server.state
        if state.settings.keys and path.startswith(GUARDED) and not self.has_key():
            return self.answer(401, {"error": "Unauthorized"})
        methods = ROUTES.get(path)
        if methods is None:
            return self.answer(404, {"detail": "Not Found"})
        if self.command not in methods:
            return self.answer(405, {"detail": "Method Not Allowed"}, allow=", ".join(methods))
        if path in ("/health", "/ping"):
            return self.answer(200, "")
        if path == "/version":
            return self.answer(200, {"version": "0.32.0"})
        if path == "/load":
            return self.answer(200, {"server_load": 0})
        if path == "/metrics":
            return self.answer(200, state.metrics())
        if path == "/v1/models":
            return self.answer(200, self.models())
        return self.ask(path, body)

    def has_key(self):
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and key in self.server.state.settings.keys

    def models(self):
        settings = self.server.state.settings
        entry = lambda name: {
            "id": name, "object": "model", "created": int(time.time()), "owned_by": "vllm", "root": settings.root,
            "parent": None, "max_model_len": settings.max_model_len,
            "permission": [{
                "id": f"modelperm-{secrets.token_hex(8)}", "object": "model_permission", "created": int(time.time()),
                "allow_create_engine": False, "allow_sampling": True, "allow_logprobs": True, "allow_search_indices": False,
                "allow_view": True, "allow_fine_tuning": False, "organization": "*", "group": None, "is_blocking": False,
            }],
        }
        return {"object": "list", "data": [entry(name) for name in settings.names]}

    def ask(self, path, text):
        state = self.server.state
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            message = "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"
            return self.answer(*refusal(400, message, "Bad Request"))
        if state.stopping:
            return self.answer(*refusal(500, "cannot schedule new futures after shutdown", "InternalServerError"))
        if state.dead:
            return self.answer(500, ENGINE_ERROR)
        try:
            body = json.loads(text)
        except json.JSONDecodeError:
            body = None
        if isinstance(body, dict):
            if DIE in text:
                state.die()
            if SILENCE in text or FAIL in text:
                return self.broken_stream(path, fail=FAIL in text)
            name = body.get("model")
            if name is not None and name not in state.settings.names:
                aliases = ", ".join(state.settings.names)
                message = f"The model `{name}` does not exist. Valid aliases: {aliases}."
                return self.answer(*refusal(404, message, "NotFoundError", "model"))
            # The recorded server knew its model under another name.
            body = {**body, "model": MODEL} if name in state.settings.names else body
        recorded = ANSWERS.get(key_of(POST, path, body if body is not None else text))
        if recorded is None:
            recorded = self.usual(path, body)
        if recorded is None:
            message = "the stand-in has no recording of this question"
            return self.answer(*refusal(501, message, "NotImplementedError"))
        renamed = json.loads(json.dumps(recorded["response"]).replace(MODEL, state.settings.names[0]))
        if isinstance(renamed, str) and renamed.startswith("data: "):
            return self.stream(re.findall(r".*?\n\n", renamed, re.S))
        return self.answer(recorded["status"], renamed)

    def usual(self, path, body):
        """Any other question gets the answer to the recorded one about the capital of France."""
        if not isinstance(body, dict) or path not in ("/v1/completions", "/v1/chat/completions"):
            return None
        is_chat = path.endswith("/chat/completions")
        if ("messages" if is_chat else "prompt") not in body:
            return None
        for (_, at, _), exchange in ANSWERS.items():
            asked = exchange["request"]["body"]
            if at == path and exchange["status"] == 200 and isinstance(asked, dict):
                if bool(asked.get("stream")) == bool(body.get("stream")) and "stream_options" not in asked:
                    return exchange
        return None

    def broken_stream(self, path, fail):
        event = self.usual(path, {"stream": True, "messages": [], "prompt": ""})["response"].split("\n\n")[0] + "\n\n"
        self.begin_stream()
        if fail:
            for part in (event, f"data: {json.dumps(ENGINE_ERROR)}\n\n", "data: [DONE]\n\n"):
                self.chunk(part)
            return self.chunk("")
        # Headers came, and nothing follows until the client has enough.
        with self.server.state.open_request():
            while not self.server.state.dead:
                time.sleep(0.1)
                if self.is_gone():
                    break
        self.close_connection = True

    def is_gone(self):
        self.connection.setblocking(False)
        try:
            return self.connection.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.connection.setblocking(True)

    def stream(self, events):
        self.begin_stream()
        pause = float(os.environ.get("VLLM_STAND_IN_TOKEN_SECONDS", "0"))
        with self.server.state.open_request():
            for event in events:
                time.sleep(pause)
                if self.server.state.dead:
                    self.chunk(f"data: {json.dumps(ENGINE_ERROR)}\n\n")
                    self.chunk("data: [DONE]\n\n")
                    break
                self.chunk(event)
                self.server.state.tokens += 1
        self.chunk("")

    def begin_stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def answer(self, status, body, allow=None):
        data = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()
        self.send_response(status)
        if allow:
            self.send_header("allow", allow)
        self.send_header("content-length", str(len(data)))
        if data:
            is_text = isinstance(body, str)
            self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8" if is_text else "application/json")
        self.end_headers()
        self.wfile.write(data)


class State:
    def __init__(self, settings):
        self.settings = settings
        self.stopping = self.dead = False
        self.running = self.tokens = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def open_request(self):
        return _Open(self)

    def die(self):
        """The engine process ends: open streams get an error, and the server ends with exit code 0."""
        self.dead = True
        threading.Timer(0.3, self.ended.set).start()

    def metrics(self):
        values = {"vllm:num_requests_running": self.running, "vllm:generation_tokens_total": self.tokens}
        lines = []
        for line in METRICS.splitlines():
            name = line.partition("{")[0]
            if name in values:
                line = f"{line.rpartition(' ')[0]} {float(values[name])}"
            lines.append(line.replace(MODEL, self.settings.names[0]))
        return "\n".join(lines) + "\n"


class _Open:
    def __init__(self, state):
        self.state = state

    def __enter__(self):
        with self.state.lock:
            self.state.running += 1

    def __exit__(self, *_):
        with self.state.lock:
            self.state.running -= 1


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that went away is nothing to speak of."""


def serve(settings):
    server = Server((settings.host, settings.port), Handler)
    server.state = state = State(settings)

    def stop(*_):
        state.stopping = True
        def wait():
            deadline = time.monotonic() + settings.shutdown_seconds
            while state.running and time.monotonic() < deadline:
                time.sleep(0.05)
            state.ended.set()
        threading.Thread(target=wait, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("INFO:     Application startup complete.", flush=True)
    while not state.ended.wait(0.2):
        pass
    return 0
