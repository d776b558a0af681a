"""Writes a folder with the files of a model that nobody can talk to: valid in form, some kB, for the stand-ins of model servers."""
import json
import struct
import sys
from pathlib import Path

# Vectors as long as those of the model that embeddings are made with by default.
HIDDEN, VOCABULARY = 1024, 16
WORDS = ["<unk>", "<s>", "</s>", *[f"w{number}" for number in range(VOCABULARY - 3)]]

CONFIG = {
    "architectures": ["MistralForCausalLM"],
    "model_type": "mistral",
    "hidden_size": HIDDEN,
    "intermediate_size": HIDDEN * 2,
    "num_attention_heads": 1,
    "num_hidden_layers": 0,
    "num_key_value_heads": 1,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 32768,
    "torch_dtype": "float16",
}
TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": {word: number for number, word in enumerate(WORDS)}, "unk_token": "<unk>"},
}
TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "chat_template": "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}",
}


def safetensors(shapes):
    """Tensors of zeros in half precision, in the file format of weights."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        size = 2
        for length in shape:
            size *= length
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def main(folder):
    folder.mkdir(parents=True)
    files = {
        "config": CONFIG,
        "tokenizer": TOKENIZER,
        "tokenizer_config": TOKENIZER_CONFIG,
        # How long a text may be that a vector is made of; a model of conversations takes more.
        "sentence_bert_config": {"max_seq_length": 8192},
    }
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")
    embeddings = [VOCABULARY, HIDDEN]
    weights = {"lm_head.weight": embeddings, "model.embed_tokens.weight": embeddings, "model.norm.weight": [HIDDEN]}
    (folder / "model.safetensors").write_bytes(safetensors(weights))


main(Path(sys.argv[1]))
