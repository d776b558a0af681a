"""Answers to what was not recorded: Russian, made of the passages in the prompt, in the shape of the recorded answers."""
import copy
import json
import re
import secrets
import time

from .recording import ANSWERS, MODEL

PASSAGE = re.compile(r"^\[(\d+)\] [^\n]*\n(.*?)(?=^\[\d+\] |^Вопрос: |\Z)", re.M | re.S)
SENTENCE = re.compile(r"[^.!?]+[.!?]?")
# Longer ones are cut: an answer is no copy of the passage.
SENTENCE_CHARACTERS = 160
WITHOUT_PASSAGES = "В запросе нет фрагментов, на которые можно сослаться: это ответ сервера без модели, у которого нет знаний."
CHAT_DEFAULT_TOKENS, COMPLETION_DEFAULT_TOKENS = 2048, 16


def quote(prompt):
    """The first sentence of every numbered passage, each with the passage's number."""
    quoted = []
    for number, text in PASSAGE.findall(prompt):
        # Lines are wrapped, and headings are no sentences.
        plain = " ".join(line for line in text.split("\n") if not line.startswith("#"))
        sentence = next((found.strip() for found in SENTENCE.findall(plain) if len(found.split()) > 2), "")
        if sentence:
            quoted.append(f"«{sentence[:SENTENCE_CHARACTERS].strip()}» [{number}].")
    return "По фрагментам: " + " ".join(quoted) if quoted else WITHOUT_PASSAGES


def pieces(text):
    """The text in parts of a word each, which count as tokens here."""
    return re.findall(r"\s*\S+", text)


def _recorded(path, stream):
    """The recorded answer about the capital of France, as the shape of every other one."""
    for (_, at, _), exchange in ANSWERS.items():
        asked = exchange["request"]["body"]
        if at == path and exchange["status"] == 200 and isinstance(asked, dict):
            if bool(asked.get("stream")) == stream and "stream_options" not in asked and asked.get("max_tokens", 2) > 1:
                return exchange["response"]
    raise LookupError(path)


SHAPES = {
    path: {
        "whole": _recorded(path, False),
        "events": [json.loads(line[6:]) for line in _recorded(path, True).split("\n\n") if line.startswith("data: {")],
    }
    for path in ("/v1/completions", "/v1/chat/completions")
}


class Answer:
    """One answer: its tokens, and the JSON of its events or of all of it."""

    def __init__(self, path, body, name):
        self.is_chat = path.endswith("/chat/completions")
        self.shape, self.name, self.created = SHAPES[path], name, int(time.time())
        self.id = ("chatcmpl-" if self.is_chat else "cmpl-") + secrets.token_hex(8)
        prompt = _text_of(body["messages"] if self.is_chat else body["prompt"])
        self.prompt_tokens = len(pieces(prompt))
        default = CHAT_DEFAULT_TOKENS if self.is_chat else COMPLETION_DEFAULT_TOKENS
        most = body.get("max_completion_tokens") or body.get("max_tokens") or default
        whole = pieces(quote(prompt))
        self.tokens = whole[:most]
        self.finish_reason = "stop" if len(whole) <= most else "length"
        self.wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))

    def usage(self):
        spent = len(self.tokens)
        return {"prompt_tokens": self.prompt_tokens, "total_tokens": self.prompt_tokens + spent, "completion_tokens": spent}

    def whole(self):
        answer = self._named(self.shape["whole"])
        choice, text = answer["choices"][0], "".join(self.tokens)
        if self.is_chat:
            choice["message"]["content"] = text
        else:
            choice["text"] = text
        choice["finish_reason"] = self.finish_reason
        answer["usage"].update(self.usage())
        return answer

    def events(self):
        """`data:` lines, one for each token; the last of them carries finish_reason."""
        first, middle, last = self.shape["events"][0], self.shape["events"][1], self.shape["events"][-1]
        if self.is_chat:
            yield _line(self._named(first))
        for number, token in enumerate(self.tokens, 1):
            is_last = number == len(self.tokens)
            event = self._named(last if is_last else middle)
            choice = event["choices"][0]
            if self.is_chat:
                choice["delta"]["content"] = token
            else:
                choice["text"] = token
            choice["finish_reason"] = self.finish_reason if is_last else None
            if is_last and self.wants_usage:
                fingerprint = event.pop("system_fingerprint")
                yield _line(event)
                yield _line({**event, "choices": [], "usage": self.usage(), "system_fingerprint": fingerprint})
            else:
                yield _line(event)
        yield "data: [DONE]\n\n"

    def _named(self, recorded):
        return {**copy.deepcopy(recorded), "id": self.id, "created": self.created, "model": self.name}


def _line(event):
    return f"data: {json.dumps(event, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _text_of(value):
    """The words of a prompt: a text, a list of texts, or messages whose content is a text or a list of parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _text_of(value.get("content") or value.get("text") or "")
    if isinstance(value, list):
        return "\n".join(_text_of(item) for item in value)
    return ""


def can_answer(path, body):
    """Whether the question is one that a client of ours asks."""
    return isinstance(body, dict) and path in SHAPES and ("messages" if path.endswith("/chat/completions") else "prompt") in body


def first_event(path):
    """What a stream begins with."""
    return _line({**SHAPES[path]["events"][0], "model": MODEL})
