"""A model without weights: vectors of a folder's dimension, in which texts that share stems of words are close."""
import hashlib
import json
import math
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

# As in the real program: a text may have so many characters for each token that the model takes.
CHARACTERS_PER_TOKEN = 250
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "model.onnx", "onnx/model.onnx")
# Where one feature of a text shows in its vector.
PLACES = 12
STEM_LETTERS = 5


class NoModel(Exception):
    """The folder holds no model that can be served."""


class Model:
    """What config.json says of a model in a local folder."""

    def __init__(self, folder):
        folder = Path(folder)
        config = self._read(folder / "config.json", "`config.json` not found")
        if not (folder / "tokenizer.json").is_file():
            raise NoModel("tokenizer.json not found. text-embeddings-inference only supports fast tokenizers")
        if not any((folder / name).is_file() for name in WEIGHTS):
            raise NoModel("Could not create backend: Could not start a suitable backend")
        self.dimension = int(config["hidden_size"])
        sentences = folder / "sentence_bert_config.json"
        if sentences.is_file():
            self.max_input_length = int(self._read(sentences, "")["max_seq_length"])
        else:
            offset = config.get("pad_token_id", 0) + 1 if "roberta" in config.get("model_type", "") else 0
            self.max_input_length = int(config["max_position_embeddings"]) - offset

    @staticmethod
    def _read(path, missing):
        try:
            return json.loads(path.read_text())
        except OSError:
            raise NoModel(missing) from None
        except json.JSONDecodeError as error:
            raise NoModel(f"Failed to parse `{path.name}`: {error}") from None

    def tokens(self, text):
        """Roughly what a tokenizer makes of it: a piece for each four letters, and one at each end."""
        return 2 + sum(math.ceil(len(word) / 4) for word in re.findall(r"\w+|[^\w\s]", text))

    def truncated(self, text, tokens):
        words = re.findall(r"\s*(?:\w+|[^\w\s])", text)
        while words and self.tokens("".join(words)) > tokens:
            words.pop()
        return "".join(words)

    def vector(self, text, normalize=True, dimensions=None):
        values = [0.0] * self.dimension
        for feature, weight in features(text).items():
            for place, sign in places(feature, self.dimension):
                values[place] += sign * weight
        values = values[: dimensions or self.dimension]
        length = math.sqrt(sum(value * value for value in values)) or 1.0
        return [value / length for value in values] if normalize else values


def features(text):
    """Stems weigh most, whole words and parts of words some; short words, which say little, hardly anything."""
    words = re.findall(r"\w+", text.lower().replace("ё", "е"))
    weights = Counter({"(text)": 0.2})
    for word, count in Counter(words).items():
        often = 1 + math.log(count)
        if len(word) < 4:
            weights["w:" + word] += 0.1 * often
            continue
        weights["s:" + word[:STEM_LETTERS]] += 1.0 * often
        weights["w:" + word] += 0.3 * often
        for start in range(len(word) - 2):
            weights["t:" + word[start : start + 3]] += 0.1 * often
    return weights


@lru_cache(maxsize=65536)
def places(feature, dimension):
    """The same on every machine and in every process."""
    digest = hashlib.shake_256(feature.encode()).digest(PLACES * 4)
    numbers = [int.from_bytes(digest[at : at + 4], "big") for at in range(0, len(digest), 4)]
    return tuple((number // 2 % dimension, 1.0 if number % 2 else -1.0) for number in numbers)
