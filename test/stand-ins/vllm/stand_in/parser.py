"""The parser of `vllm serve`, made of the recording of the real one's options."""
import argparse
import json
import re

from .recording import FLAGS

UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# The recording hides the type of an option that may be None; what the real one was seen to convert.
HIDDEN = {"kv_cache_memory_bytes": "human_readable_int", "max_num_queued_reqs": "int"}


def human_readable_int(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgGtT])", text)
    return int(float(match.group(1)) * UNITS[match.group(2)]) if match else int(text)


def human_readable_int_or_auto(text):
    return -1 if text == "auto" else human_readable_int(text)


def loads(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"Value {text} cannot be converted to {json.loads}.") from error


TYPES = {
    "int": int,
    "float": float,
    "human_readable_int": human_readable_int,
    "human_readable_int_or_auto": human_readable_int_or_auto,
    "loads": loads,
    "_parse_type": loads,
    "parse_dataclass": loads,
}


class Parser(argparse.ArgumentParser):
    """Underscores are dashes; `--option.part value` is a part of the JSON of `--option`."""

    def parse_args(self, args):
        plain, parts = [], {}
        rest = iter(args)
        for arg in rest:
            if arg.startswith("--"):
                name, equals, value = arg.partition("=")
                name = "--" + name[2:].replace("_", "-")
                if "." in name:
                    option, _, part = name.partition(".")
                    parts.setdefault(option, {})[part] = value if equals else next(rest, "")
                    continue
                arg = name + equals + value
            plain.append(arg)
        for option, value in parts.items():
            plain += [option, json.dumps(value)]
        known, unknown = self.parse_known_args(plain)
        if unknown:
            hint = ""
            if "--task" in unknown:
                hint = (
                    "\n\nHint: --task is not a vllm serve option. For embedding, reranking, or reward models, use --runner pooling."
                    " To adapt a generative model for pooling, also use --convert embed, --convert classify, or --convert reward."
                )
            self.exit(2, f"vllm: error: unrecognized arguments: {' '.join(unknown)}{hint}\n")
        return known


def make_parser():
    parser = Parser(prog="vllm serve", usage="vllm serve [model_tag] [options]")
    for action in FLAGS:
        flags, kind = action["flags"], HIDDEN.get(action["dest"], action["type"])
        if "--help" in flags:
            continue
        options = {"default": action["default"]}
        if kind in ("parse_dataclass", "_parse_type", "loads") and isinstance(options["default"], str):
            # The text of a Python object, which no option can be given.
            options["default"] = None if options["default"] != "==SUPPRESS==" else argparse.SUPPRESS
        elif options["default"] == "==SUPPRESS==":
            options["default"] = argparse.SUPPRESS
        if action["action"] == "BooleanOptionalAction":
            options["action"] = argparse.BooleanOptionalAction
            flags = [flag for flag in flags if not flag.startswith("--no-")]
        elif action["action"] == "_StoreTrueAction":
            options["action"] = "store_true"
        else:
            if action["nargs"] is not None:
                options["nargs"] = action["nargs"]
            if action["action"] == "_AppendAction":
                options["action"] = "append"
            if kind in TYPES:
                options["type"] = TYPES[kind]
            if action["choices"]:
                options["choices"] = action["choices"]
        if flags:
            parser.add_argument(*flags, dest=action["dest"], **options)
        else:
            options.pop("choices", None)
            parser.add_argument(action["dest"], **options)
    return parser
