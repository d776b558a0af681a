"""What was recorded of the real server."""
import json
import os
from pathlib import Path

FOLDER = Path(os.environ.get("VLLM_STAND_IN_RECORDINGS", Path(__file__).resolve().parents[3] / "recordings/vllm"))
FLAGS = json.loads((FOLDER / "flags.json").read_text())
METRICS = (FOLDER / "metrics_idle.prom").read_text()
MODEL = "NightForger/saiga_nemo_12b-GPTQ"


def _exchanges():
    for line in (FOLDER / "all-exchanges.jsonl").read_text().splitlines():
        exchange = json.loads(line)
        if "request" in exchange and "status" in exchange:
            yield exchange


def key_of(method, path, body):
    """What tells one question from another; the order of a body's keys does not."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except json.JSONDecodeError:
            pass
    # 1e9 and 1000000000.0 are one number.
    same = json.loads(json.dumps(body), parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text))
    return method, path, json.dumps(same, sort_keys=True)


# The first answer to each question. Refusals of keys are the server's own matter.
ANSWERS = {}
for _exchange in _exchanges():
    if _exchange["status"] != 401 and _exchange["method"] == "POST":
        ANSWERS.setdefault(key_of("POST", _exchange["path"], _exchange["request"]["body"]), _exchange)
