"""JSON as Rust's serde_json reads it: its syntax errors, its names of types, its numbers."""

from __future__ import annotations

import json
import re
import struct
from typing import Any, NoReturn

from .errors import BodyError


def parse(data: bytes) -> Any:
    """Raises `BodyError` with serde_json's message and place for a body that is not JSON."""
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_constant=_reject_constant, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise BodyError(f"invalid unicode code point{place(data, error.start)}", positioned=False) from error
    except ValueError as error:
        raise BodyError(_SyntaxCheck(data).message(), positioned=False) from error


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def place(data: bytes, offset: int) -> str:
    """Line and column of an offset, counted in bytes."""
    line = data.count(b"\n", 0, offset) + 1
    column = offset - (data.rfind(b"\n", 0, offset) + 1)
    return f" at line {line} column {column}"


def end_of(data: bytes) -> str:
    """The place after the outermost value: where most errors of shape are noticed."""
    return place(data, len(data.rstrip()))


def describe(value: Any) -> str:
    """A value as serde names it in `invalid type: …`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{_rust_float(value)}`"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"


def shortest_f32(value: float) -> float:
    """The number with the fewest digits that is the same 32-bit float: how Rust prints one."""
    for digits in (7, 8):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", value):
            return short
    return float(f"{value:.9g}")


def _rust_float(value: float) -> str:
    return re.sub(r"\.0$", "", repr(value)) if "e" in repr(value) else repr(value)


def _integer(digits: str) -> int | float:
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(digits)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_NUMBER = re.compile(rb"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_LITERALS = {b"t": b"true", b"f": b"false", b"n": b"null"}


class _SyntaxCheck:
    """Walks a body that is known to be no JSON and finds what serde_json would say of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def message(self) -> str:
        try:
            self._value()
            self._skip_space()
            if self._at < len(self._data):
                self._fail("trailing characters", 1)
        except _SyntaxProblem as problem:
            return str(problem)
        return f"invalid JSON{end_of(self._data)}"

    def _fail(self, text: str, ahead: int = 0) -> NoReturn:
        raise _SyntaxProblem(text + place(self._data, min(self._at + ahead, len(self._data))))

    def _skip_space(self) -> bytes:
        while self._data[self._at : self._at + 1] in (b" ", b"\t", b"\r", b"\n"):
            self._at += 1
        return self._data[self._at : self._at + 1]

    def _value(self) -> None:
        head = self._skip_space()
        if head == b"":
            self._fail("EOF while parsing a value")
        if head == b"{":
            self._members(b"}", "object")
        elif head == b"[":
            self._members(b"]", "list")
        elif head == b'"':
            self._string()
        elif head in _LITERALS:
            self._literal(_LITERALS[head])
        elif number := _NUMBER.match(self._data, self._at):
            self._at = number.end()
        else:
            self._fail("invalid number" if head == b"-" else "expected value", 1)

    def _members(self, closing: bytes, kind: str) -> None:
        self._at += 1
        first = True
        while True:
            head = self._skip_space()
            if head == b"":
                self._fail(f"EOF while parsing {'an' if kind == 'object' else 'a'} {kind}")
            if head == closing:
                if not first and self._data[: self._at].rstrip().endswith(b","):
                    self._fail("trailing comma", 1)
                self._at += 1
                return
            if not first and head != b",":
                self._fail(f"expected `,` or `{closing.decode()}`", 1)
            if not first:
                self._at += 1
                head = self._skip_space()
                if head in (closing, b""):
                    continue
            if kind == "object":
                self._key(head)
            self._value()
            first = False

    def _key(self, head: bytes) -> None:
        if head != b'"':
            self._fail("key must be a string", 1)
        self._string()
        colon = self._skip_space()
        if colon == b"":
            self._fail("EOF while parsing an object")
        if colon != b":":
            self._fail("expected `:`", 1)
        self._at += 1

    def _string(self) -> None:
        whole = _STRING.match(self._data, self._at)
        if whole is None:
            self._at = len(self._data)
            self._fail("EOF while parsing a string")
        self._at = whole.end()

    def _literal(self, word: bytes) -> None:
        if not self._data.startswith(word, self._at):
            self._fail("expected ident", 2)
        self._at += len(word)


class _SyntaxProblem(Exception):
    pass
