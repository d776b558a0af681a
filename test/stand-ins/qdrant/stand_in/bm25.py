"""Server-side BM25: a document or query text becomes a sparse vector, by the engine's own model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from .errors import BodyError, bad_input, internal
from .fields import Object, as_choice, invalid_type, is_number, is_size

TOKENIZERS = {
    "prefix": engine.TokenizerType.Prefix,
    "whitespace": engine.TokenizerType.Whitespace,
    "word": engine.TokenizerType.Word,
    "multilingual": engine.TokenizerType.Multilingual,
}

_MODELS = frozenset({"qdrant/bm25", "bm25"})


def embed(document: Object, *, is_query: bool) -> engine.SparseVector:
    """`document` is `{"text", "model", "options"?}`. Other models have no inference service to go to."""
    model: str = document["model"]
    if model.lower() not in _MODELS:
        raise internal("InferenceService URL not configured - please provide valid address in config")
    text = document.get("text")
    if not isinstance(text, str):
        raise bad_input(f"Only text input is supported for {model}.")
    try:
        model_of_language = engine.Bm25(_config(document.get("options") or {}))
    except BodyError as error:
        quoted = error.text.replace("\\", "\\\\").replace('"', '\\"')
        raise bad_input(f'Invalid BM25 config: Error("{quoted}", line: 0, column: 0)') from error
    except ValueError as error:
        raise bad_input(str(error)) from error
    return model_of_language.embed_query(text) if is_query else model_of_language.embed_document(text)


def _config(options: Object) -> engine.Bm25Config:
    chosen: dict[str, Any] = {}
    for name in ("k", "b", "avg_len"):
        if name in options:
            chosen[name] = _typed(options[name], is_number, "f64")
    if "tokenizer" in options:
        chosen["tokenizer"] = TOKENIZERS[as_choice(options["tokenizer"], TOKENIZERS)]
    for name in ("lowercase", "ascii_folding"):
        if options.get(name) is not None:
            chosen[name] = _typed(options[name], lambda value: isinstance(value, bool), "a boolean")
    for name in ("min_token_len", "max_token_len"):
        if options.get(name) is not None:
            chosen[name] = _typed(options[name], is_size, "usize")
    if options.get("language") is not None:
        chosen.update(_language(_typed(options["language"], lambda value: isinstance(value, str), "a string")))
    if options.get("stopwords") is not None:
        chosen["stopwords"] = stopwords(options["stopwords"])
    if options.get("stemmer") is not None:
        chosen["stemmer"] = stemmer(options["stemmer"])
    return engine.Bm25Config(**chosen)


def _language(name: str) -> dict[str, Any]:
    """The server takes any language and treats an unknown one as none; the engine refuses those."""
    try:
        engine.Bm25(engine.Bm25Config(language=name))
    except ValueError:
        return {"stopwords": engine.StopwordsSet(), "stemmer": engine.DisabledStemmer()}
    return {"language": name}


def _typed(value: Any, fits: Callable[[Any], bool], expected: str) -> Any:
    if not fits(value):
        raise invalid_type(value, expected)
    return value


def stopwords(value: Any) -> Any:
    """A language, or `{"languages": […], "custom": […]}`."""
    problem = BodyError("data did not match any variant of untagged enum StopwordsInterface")
    if isinstance(value, str):
        return _named(engine.Language, value, problem)
    if not isinstance(value, dict):
        raise problem
    languages = value.get("languages") or []
    custom = value.get("custom") or []
    if not all(isinstance(word, str) for word in [*languages, *custom]):
        raise problem
    return engine.StopwordsSet({_named(engine.Language, name, problem) for name in languages}, set(custom))


def stemmer(value: Any) -> engine.SnowballParams | engine.DisabledStemmer:
    """`{"type": "snowball", "language": …}` or `{"type": "none"}`."""
    problem = BodyError("data did not match any variant of untagged enum StemmingAlgorithm")
    if not isinstance(value, dict):
        raise problem
    if value.get("type") == "none":
        return engine.DisabledStemmer()
    if value.get("type") != "snowball" or not isinstance(value.get("language"), str):
        raise problem
    return engine.SnowballParams(_named(engine.SnowballLanguage, value["language"], problem))


def _named(enumeration: Any, name: str, problem: Exception) -> Any:
    member = getattr(enumeration, name.capitalize(), None)
    if member is None or name != name.lower():
        raise problem
    return member
