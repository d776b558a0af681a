"""The model's files, as far as the real server looks at them before it serves."""
import json
import os
from pathlib import Path


class NoModel(Exception):
    """What the real server says in the last line before it ends with exit code 1."""


def find(model, revision, max_model_len):
    """
    The longest context, read from config.json of a folder or of the cache of Hugging Face (HF_HOME); the cache is never
    filled from here. Every file of weights has to begin as safetensors do.
    """
    folder = Path(model) if os.path.isdir(model) else _cached(model, revision)
    try:
        config = json.loads((folder / "config.json").read_text())
    except OSError as error:
        raise NoModel(f"OSError: Can't load the configuration of '{folder}': {error}") from error
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise NoModel(f"RuntimeError: Cannot find any model weights with `{folder}`")
    for file in weights:
        _check_weights(file)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")):
        raise NoModel(f"OSError: Can't load tokenizer for '{folder}'")
    longest = config.get("max_position_embeddings", 2048)
    if max_model_len and max_model_len > longest:
        raise NoModel(
            f"  Value error, User-specified max_model_len ({max_model_len}) is greater than the derived max_model_len"
            f" (max_position_embeddings={float(longest)} or model_max_length=None in model's config.json)."
        )
    return longest


def _cached(model, revision):
    # Of the real client, so that a cache which it would not take is not taken here.
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except Exception as error:
        raise NoModel(f"{type(error).__module__}.{type(error).__name__}: {error}") from error


def _check_weights(file):
    """Eight bytes with the length of a JSON header, the header, and as many bytes as it names."""
    with file.open("rb") as data:
        size = int.from_bytes(data.read(8), "little")
        try:
            tensors = json.loads(data.read(size)) if size <= file.stat().st_size else None
        except ValueError:
            tensors = None
    if tensors is None:
        raise NoModel(f"safetensors_rust.SafetensorError: Error while deserializing header: {file.name}")
    ends = [tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__"]
    if file.stat().st_size != 8 + size + max(ends, default=0):
        raise NoModel(f"safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered: {file.name}")
