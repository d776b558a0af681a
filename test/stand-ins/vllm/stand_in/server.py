"""The HTTP side: who is let in, what is refused, and recorded answers for the rest."""
import json
import re
import secrets
import signal
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .answer import Answer, can_answer, first_event
from .recording import ANSWERS, METRICS, MODEL, key_of
from .scheduler import Queue

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
BUSY = "The engine is currently busy and cannot accept new requests. Please try again later or on a different instance."
# Between two looks at whether a client is still there.
LOOK_SECONDS = 0.05


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
    max_num_seqs: int
    max_num_queued_reqs: int | None
    root_path: str
    token_seconds: float
    # What open streams get at SIGTERM without a shutdown timeout: both were seen.
    aborts_with_error: bool


def refusal(status, message, kind, param=None):
    return status, {"error": {"message": message, "type": kind, "param": param, "code": status}}


class Gone(Exception):
    """The client closed its connection."""


class Aborted(Exception):
    """The engine ended, and the stream says so."""


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
        state = self.server.state
        if state.aborting:
            # A connection that was kept open is closed with the port.
            self.close_connection = True
            return None
        path = self.path.partition("?")[0]
        root_path = state.settings.root_path
        if root_path and path.startswith(f"{root_path}/"):
            path = path[len(root_path):]
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
            if not can_answer(path, body):
                message = "the stand-in has no recording of this question"
                return self.answer(*refusal(501, message, "NotImplementedError"))
            answer = Answer(path, body, name or state.settings.names[0])
            if body.get("stream"):
                return self.stream(answer.events())
            return self.generate(len(answer.tokens), 200, answer.whole())
        renamed = json.loads(json.dumps(recorded["response"]).replace(MODEL, state.settings.names[0]))
        if isinstance(renamed, str) and renamed.startswith("data: "):
            return self.stream(re.findall(r".*?\n\n", renamed, re.S))
        if recorded["status"] != 200:
            return self.answer(recorded["status"], renamed)
        spent = (renamed.get("usage") or {}).get("completion_tokens", 0) if isinstance(renamed, dict) else 0
        return self.generate(spent, 200, renamed)

    def broken_stream(self, path, fail):
        event = first_event(path)
        if fail:
            self.begin_stream()
            for part in (event, f"data: {json.dumps(ENGINE_ERROR)}\n\n", "data: [DONE]\n\n"):
                self.chunk(part)
            return self.chunk("")
        # Headers came, and nothing follows until the client has enough.
        return self.stream(None)

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

    def generate(self, tokens, status, body):
        """An answer that comes in one piece, after as long as a stream of it would take."""
        queue, is_running = self.server.state.queue, False
        if not queue.enter():
            return self.answer(*refusal(503, BUSY, "Service Unavailable"))
        try:
            while not (is_running := queue.run(LOOK_SECONDS)):
                if self.server.state.is_broken or self.is_gone():
                    return self.answer(500, ENGINE_ERROR)
            time.sleep(tokens * self.server.state.settings.token_seconds)
            self.server.state.tokens += tokens
        finally:
            queue.leave(is_running)
        return self.answer(status, body)

    def stream(self, events):
        """Sends events as their turn comes; None for a stream that gets its headers and nothing else."""
        state, is_running = self.server.state, False
        if not state.queue.enter():
            return self.answer(*refusal(503, BUSY, "Service Unavailable"))
        try:
            self.begin_stream()
            self.written = time.monotonic()
            while not (is_running := state.queue.run(LOOK_SECONDS)):
                self.idle()
            if events is None:
                self.wait_for(float("inf"))
            for event in events or ():
                self.wait_for(state.settings.token_seconds)
                self.chunk(event)
                state.tokens += 1
            self.chunk("")
        except Aborted:
            for part in (f"data: {json.dumps(ENGINE_ERROR)}\n\n", "data: [DONE]\n\n", ""):
                self.chunk(part)
        except Gone:
            self.close_connection = True
        finally:
            state.queue.leave(is_running)

    def wait_for(self, seconds):
        end = time.monotonic() + seconds
        self.idle()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
            self.idle()

    def idle(self):
        """What happens between two events: the client leaves, the engine ends, or the line is kept warm."""
        state = self.server.state
        while True:
            if state.dead or (state.aborting and state.settings.aborts_with_error):
                raise Aborted
            if self.is_gone():
                raise Gone
            if not state.aborting:
                break
            # The engine is gone and nobody tells the stream.
            time.sleep(LOOK_SECONDS)
        interval = state.settings.keep_alive_seconds
        if interval and time.monotonic() - self.written >= interval:
            self.chunk(": keep-alive\n\n")

    def begin_stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()
        self.written = time.monotonic()

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
        self.stopping = self.dead = self.aborting = False
        self.tokens = 0
        self.queue = Queue(settings.max_num_seqs, settings.max_num_queued_reqs)
        self.ended = threading.Event()

    @property
    def is_broken(self):
        return self.dead or self.aborting

    def die(self):
        """The engine process ends: open streams get an error, and the server ends with exit code 0."""
        self.dead = True
        threading.Timer(0.3, self.ended.set).start()

    def metrics(self):
        values = {
            "vllm:num_requests_running": self.queue.running,
            "vllm:num_requests_waiting": self.queue.waiting,
            "vllm:generation_tokens_total": self.tokens,
        }
        lines = []
        for line in METRICS.splitlines():
            name = line.partition("{")[0]
            if name in values:
                line = f"{line.rpartition(' ')[0]} {float(values[name])}"
            lines.append(line.replace(MODEL, self.settings.names[0]))
        return "\n".join(lines) + "\n"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that went away is nothing to speak of."""


def serve(settings):
    server = Server((settings.host, settings.port), Handler)
    server.state = state = State(settings)

    def stop(*_):
        if state.stopping:
            return
        state.stopping = True
        threading.Thread(target=end, daemon=True).start()

    def end():
        if settings.shutdown_seconds > 0:
            deadline = time.monotonic() + settings.shutdown_seconds
        else:
            # The engine goes at once, the port closes, and the process waits for who is still connected.
            state.aborting = True
            deadline = float("inf")
            server.shutdown()
            server.socket.close()
        while state.queue.open and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        state.ended.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("INFO:     Application startup complete.", flush=True)
    while not state.ended.wait(0.2):
        pass
    return 0
