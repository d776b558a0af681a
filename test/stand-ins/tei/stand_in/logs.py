"""Lines on standard output, filtered as the real program filters them: by LOG_LEVEL, `level` or `target=level`, with commas between."""
import json
import os
import time

LEVELS = ["trace", "debug", "info", "warn", "error", "off"]
ROUTER = "text_embeddings_router"


def _directives():
    default, targets = "info", {}
    for part in os.environ.get("LOG_LEVEL", "info").split(","):
        target, equals, level = part.strip().partition("=")
        if equals:
            targets[target] = level.lower()
        elif target.lower() in LEVELS:
            default = target.lower()
    return default, targets


DEFAULT, TARGETS = _directives()


def is_told(target, level):
    """The longest target that begins like this one decides; one with `target=level` alone switches the rest off."""
    fitting = [known for known in TARGETS if target.startswith(known)]
    least = TARGETS[max(fitting, key=len)] if fitting else DEFAULT
    return LEVELS.index(level) >= LEVELS.index(least)


def log(level, target, message):
    if not is_told(target, level):
        return
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"timestamp": stamp, "level": level.upper(), "message": message, "target": target}), flush=True)
