"""Read flags as the real program does, load for a while with the port closed, then serve until a signal."""
import argparse
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from .logs import ROUTER, log
from .metrics import Metrics
from .model import Model, NoModel
from .server import Server, State

VERSION = "1.9.3"


def boolean(text):
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"invalid value '{text}': possible values: true, false")
    return text == "true"


# Flag, type, default. Each can be a variable too, in capitals and with underscores.
FLAGS = (
    ("model-id", str, None),
    ("revision", str, None),
    ("served-model-name", str, None),
    ("max-concurrent-requests", int, 512),
    ("max-batch-tokens", int, 16384),
    ("max-batch-requests", int, None),
    ("max-client-batch-size", int, 32),
    ("hostname", str, "0.0.0.0"),
    ("port", int, 3000),
    ("payload-limit", int, 2_000_000),
    ("api-key", str, None),
    ("huggingface-hub-cache", str, None),
    ("dtype", str, None),
    ("pooling", str, None),
    ("prometheus-port", int, 9000),
)


@dataclass
class Settings:
    model_id: str
    revision: str
    served_model_name: str
    max_concurrent_requests: int
    max_batch_tokens: int
    max_batch_requests: int
    max_client_batch_size: int
    auto_truncate: bool
    payload_limit: int
    api_key: str

    def info(self, model):
        return {
            "model_id": self.model_id,
            "model_sha": self.revision,
            "model_dtype": "float32",
            "served_model_name": self.served_model_name,
            "model_type": {"embedding": {"pooling": "cls"}},
            "max_concurrent_requests": self.max_concurrent_requests,
            "max_input_length": model.max_input_length,
            "max_batch_tokens": self.max_batch_tokens,
            "max_batch_requests": self.max_batch_requests,
            "max_client_batch_size": self.max_client_batch_size,
            "auto_truncate": self.auto_truncate,
            "tokenization_workers": 1,
            "version": VERSION,
            "sha": None,
            "docker_label": "stand-in",
        }


def parse(arguments):
    parser = argparse.ArgumentParser(prog="text-embeddings-router", allow_abbrev=False)
    for flag, kind, default in FLAGS:
        variable = os.environ.get(flag.upper().replace("-", "_"))
        parser.add_argument(f"--{flag}", type=kind, default=default if variable is None else kind(variable))
    truncate = os.environ.get("AUTO_TRUNCATE", "true")
    parser.add_argument("--auto-truncate", type=boolean, nargs="?", const=True, default=boolean(truncate))
    parser.add_argument("--json-output", action="store_true")
    parser.add_argument("--disable-spans", action="store_true")
    parsed = parser.parse_args(arguments)
    if parsed.model_id is None:
        parser.error("the following required arguments were not provided: --model-id <MODEL_ID>")
    return parsed


def load(parsed):
    if not Path(parsed.model_id).is_dir():
        # The real program takes it for the name of a repository and asks the hub, which cannot be reached here.
        raise NoModel(f"Could not download model artifacts: {parsed.model_id} is no folder")
    model = Model(parsed.model_id)
    longest, most = model.max_input_length, parsed.max_batch_tokens
    if longest > most and not parsed.auto_truncate:
        raise NoModel(
            f"The maximum input length is `{longest}` which exceeds `--max-batch-tokens={most}`. Either increase"
            f" `--max-batch-tokens` to at least `{longest}`, or set `--auto-truncate true`"
        )
    model.max_input_length = min(longest, most)
    return model


def main(arguments):
    parsed = parse(arguments)
    # The real one prints its flags in full.
    log("info", ROUTER, f"Args {vars(parsed)}")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        model = load(parsed)
    except NoModel as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    if ended.wait(float(os.environ.get("TEI_STAND_IN_LOAD_SECONDS", "0"))):
        return 143
    settings = Settings(
        parsed.model_id,
        parsed.revision,
        parsed.served_model_name or parsed.model_id,
        parsed.max_concurrent_requests,
        parsed.max_batch_tokens,
        parsed.max_batch_requests,
        parsed.max_client_batch_size,
        parsed.auto_truncate,
        parsed.payload_limit,
        parsed.api_key,
    )
    server = Server((parsed.hostname, parsed.port), State(settings, model, Metrics(model.max_input_length)))
    log("info", f"{ROUTER}::http::server", "Ready")
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    ended.wait()
    server.shutdown()
    serving.join()
    server.server_close()
    return 0
