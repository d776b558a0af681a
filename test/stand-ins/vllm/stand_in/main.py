"""Parse as the real command does, load for a while with the port closed, then serve."""
import os
import signal
import sys
import time

from . import model as files
from .parser import make_parser
from .server import Settings, serve


def main(arguments):
    if arguments[:1] != ["serve"]:
        print("vllm: error: the stand-in knows `serve` alone", file=sys.stderr)
        return 2
    parsed = make_parser().parse_args(arguments[1:])
    if not 0 <= parsed.gpu_memory_utilization <= 1:
        print(
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for CacheConfig\ngpu_memory_utilization\n"
            f"  Input should be less than or equal to 1 [type=less_than_equal, input_value={parsed.gpu_memory_utilization},"
            " input_type=float]",
            file=sys.stderr,
        )
        return 1
    model = parsed.model_tag or parsed.model
    # The real one ignores it from early on, until it serves.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    longest = 2048
    if os.environ.get("VLLM_STAND_IN_READS_MODEL"):
        try:
            longest = files.find(model, parsed.revision, parsed.max_model_len)
        except files.NoModel as error:
            print(error, file=sys.stderr)
            return 1
    environment_key = os.environ.get("VLLM_API_KEY")
    keys = [key for key in parsed.api_key or ([environment_key] if environment_key else []) if key]
    settings = Settings(
        host=parsed.host or "0.0.0.0",
        port=parsed.port,
        root=model,
        names=parsed.served_model_name or [model],
        keys=keys,
        max_model_len=longest if parsed.max_model_len in (None, -1) else parsed.max_model_len,
        keep_alive_seconds=parsed.sse_keep_alive_interval,
        shutdown_seconds=parsed.shutdown_timeout,
        max_num_seqs=parsed.max_num_seqs or 256,
        max_num_queued_reqs=parsed.max_num_queued_reqs,
        root_path=(parsed.root_path or "").rstrip("/"),
        token_seconds=float(os.environ.get("VLLM_STAND_IN_TOKEN_SECONDS", "0")),
        aborts_with_error=os.environ.get("VLLM_STAND_IN_SIGTERM") == "error",
    )
    # The real one answers nothing while it loads: connections are refused.
    time.sleep(float(os.environ.get("VLLM_STAND_IN_LOAD_SECONDS", "0")))
    return serve(settings)
