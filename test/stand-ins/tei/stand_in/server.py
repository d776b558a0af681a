"""The HTTP side: who is let in, what is refused, and vectors for the rest."""
import base64
import json
import os
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .logs import ROUTER, log
from .model import CHARACTERS_PER_TOKEN

PUBLIC = ("/health", "/", "/ping", "/metrics")
EMBED = ("/embed", "/", "/invocations")
OPENAI = ("/v1/embeddings", "/embeddings")
STATUS = {"Backend": 424, "Overloaded": 429, "Tokenizer": 422, "Validation": 422, "Empty": 400}
# Known routes of the real program that the stand-in has no answer for.
OTHERS = ("/embed_all", "/embed_sparse", "/predict", "/rerank", "/similarity", "/tokenize", "/decode", "/vertex")
# A text with these words makes the backend fail.
FAIL = "[stand-in: fail]"


class Refusal(Exception):
    def __init__(self, kind, message, counted=None):
        super().__init__(message)
        self.kind, self.counted = kind, counted


class State:
    def __init__(self, settings, model, metrics):
        self.settings, self.model, self.metrics = settings, model, metrics
        self.permits = threading.Semaphore(settings.max_concurrent_requests)
        # One batch at a time is computed.
        self.backend = threading.Lock()
        self.seconds_per_text = float(os.environ.get("TEI_STAND_IN_SECONDS_PER_TEXT", "0"))

    def take_permit(self):
        if not self.permits.acquire(blocking=False):
            raise Refusal("Overloaded", "Model is overloaded", "overloaded")

    def embed(self, texts, truncate, normalize, dimensions):
        """Vectors of texts whose permits were taken, their tokens, and the seconds of tokenizing, waiting and computing."""
        metrics, model, began = self.metrics, self.model, time.monotonic()
        for _ in texts:
            metrics.count("te_embed_count")
        if dimensions is not None and not 0 < dimensions <= model.dimension:
            raise Refusal("Validation", f"`dimensions` should be positive and less or equal to {model.dimension}", "validation")
        checked = [self.checked(text, truncate) for text in texts]
        tokens = sum(model.tokens(text) for text in checked)
        tokenized = time.monotonic()
        metrics.add("te_queue_size", len(texts))
        with self.backend:
            taken = time.monotonic()
            metrics.add("te_queue_size", -len(texts))
            metrics.observe("te_batch_next_size", len(texts))
            metrics.observe("te_batch_next_tokens", tokens)
            time.sleep(self.seconds_per_text * len(texts))
            if any(FAIL in text for text in texts):
                raise Refusal("Backend", "Backend error: inference failed", "inference")
            vectors = [model.vector(text, normalize, dimensions) for text in checked]
        done = time.monotonic()
        parts = (tokenized - began, taken - tokenized, done - taken)
        for text in checked:
            metrics.count("te_embed_success")
            metrics.stages("embed", done - began, *parts)
            metrics.observe("te_request_input_length", model.tokens(text))
        return vectors, tokens, parts

    def checked(self, text, truncate):
        longest, counted = self.model.max_input_length, "tokenization"
        if text == "":
            raise Refusal("Empty", "Input validation error: `inputs` cannot be empty", counted)
        if len(text) > longest * CHARACTERS_PER_TOKEN and not truncate:
            most, has = longest * CHARACTERS_PER_TOKEN, len(text)
            raise Refusal("Validation", f"Input validation error: `inputs` must have less than {most} characters. Given: {has}", counted)
        length = self.model.tokens(text)
        if length <= longest:
            return text
        if truncate:
            return self.model.truncated(text, longest)
        raise Refusal("Validation", f"Input validation error: `inputs` must have less than {longest} tokens. Given: {length}", counted)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.deal()

    def do_POST(self):
        self.deal()

    def deal(self):
        state, path = self.server.state, self.path.partition("?")[0]
        public = self.command == "GET" and path in PUBLIC
        length = int(self.headers.get("Content-Length") or 0)
        known = path in (*EMBED, *OPENAI, *OTHERS, "/info") or public
        key = state.settings.api_key
        if known and not public and key is not None and self.headers.get("Authorization") != f"Bearer {key}":
            self.close_connection = length > 0
            return self.answer(401, b"")
        if not known:
            self.close_connection = length > 0
            return self.answer(404, b"")
        if path == "/info":
            return self.answer(*((200, state.settings.info(state.model)) if self.command == "GET" else (405, b"")))
        if public:
            return self.answer(200, state.metrics.text().encode() if path == "/metrics" else b"")
        if self.command != "POST":
            return self.answer(405, b"")
        if length > state.settings.payload_limit:
            self.close_connection = True
            return self.answer(413, b"Failed to buffer the request body: length limit exceeded")
        body = self.rfile.read(length)
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            return self.answer(415, b"Expected request with `Content-Type: application/json`")
        try:
            asked = json.loads(body)
        except ValueError as error:
            return self.answer(400, f"Failed to parse the request body as JSON: {error}".encode())
        if path in OTHERS:
            return self.answer(501, b"the stand-in makes vectors alone")
        return self.vectors(asked, compatible=path in OPENAI)

    def vectors(self, asked, compatible):
        state, began = self.server.state, time.monotonic()
        texts = asked.get("input" if compatible else "inputs") if isinstance(asked, dict) else None
        single = isinstance(texts, str)
        if single:
            texts = [texts]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            message = "Failed to deserialize the JSON body into the target type: data did not match any variant of untagged enum Input"
            return self.answer(422, message.encode())
        method = '{method="%s"}' % ("single" if single else "batch")
        taken = 0
        state.metrics.count("te_request_count", method)
        try:
            if not texts:
                raise Refusal("Empty", "`inputs` cannot be empty", "validation")
            most = state.settings.max_client_batch_size
            if len(texts) > most:
                raise Refusal("Validation", f"batch size {len(texts)} > maximum allowed batch size {most}", "batch_size")
            for _ in texts:
                state.take_permit()
                taken += 1
            # The protocol of others has no word for it.
            truncate = None if compatible else asked.get("truncate")
            truncate = state.settings.auto_truncate if truncate is None else truncate
            normalize = compatible or asked.get("normalize", True)
            found, tokens, parts = state.embed(texts, truncate, normalize, asked.get("dimensions"))
        except Refusal as refusal:
            log("error", f"{ROUTER}::http::server", str(refusal))
            if refusal.counted:
                state.metrics.count("te_request_failure", '{err="%s"}' % refusal.counted)
            status, message = STATUS[refusal.kind], str(refusal)
            body = (
                {"message": message, "code": status, "type": refusal.kind}
                if compatible
                else {"error": message, "error_type": refusal.kind}
            )
            return self.answer(status, body)
        finally:
            for _ in range(taken):
                state.permits.release()
        state.metrics.count("te_request_success", method)
        state.metrics.stages("request", time.monotonic() - began, *parts)
        log("info", f"{ROUTER}::http::server", "Success")
        if not compatible:
            return self.answer(200, found)
        encode = (lambda vector: base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()) if asked.get(
            "encoding_format"
        ) == "base64" else (lambda vector: vector)
        data = [{"object": "embedding", "embedding": encode(vector), "index": index} for index, vector in enumerate(found)]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return self.answer(200, {"object": "list", "data": data, "model": state.settings.served_model_name, "usage": usage})

    def answer(self, status, body):
        is_text = isinstance(body, bytes)
        data = body if is_text else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        if data:
            self.send_header("content-type", "text/plain; charset=utf-8" if is_text else "application/json")
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    # What is being answered when it is told to end is answered.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 1024

    def __init__(self, address, state):
        super().__init__(address, Handler)
        self.state = state
