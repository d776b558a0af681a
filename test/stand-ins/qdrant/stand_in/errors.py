"""Failures that become HTTP answers, worded as Qdrant words them."""

from __future__ import annotations

import re


class ApiError(Exception):
    """An answer other than success: an HTTP status and the text of `status.error`."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers or {}


class BodyError(Exception):
    """The body does not have the expected shape (400). `positioned` adds where parsing stopped."""

    def __init__(self, text: str, *, positioned: bool = True) -> None:
        super().__init__(text)
        self.text = text
        self.positioned = positioned


class InvalidValue(Exception):
    """The body has the right shape, but a value is out of range (422)."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(f"{place}: {text}")


def bad_input(text: str) -> ApiError:
    return ApiError(400, f"Wrong input: {text}")


def bad_request(text: str) -> ApiError:
    return ApiError(400, f"Bad request: {text}")


def not_found(text: str) -> ApiError:
    return ApiError(404, f"Not found: {text}")


def forbidden(text: str) -> ApiError:
    return ApiError(403, f"Forbidden: {text}")


def internal(text: str) -> ApiError:
    return ApiError(500, f"Service internal error: {text}")


def no_collection(name: str) -> ApiError:
    return not_found(f"Collection `{name}` doesn't exist!")


def out_of_space() -> ApiError:
    return internal("No space left on device: WAL buffer size exceeds available disk space")


_MISSING_POINT = re.compile(r"No point with id (\S+)$")
_CONVERSION = "Conversion between sparse and regular vectors failed"


def from_engine(error: Exception) -> ApiError:
    """The engine raises plain exceptions, so they are told apart by their text."""
    text = str(error)
    if missing := _MISSING_POINT.match(text):
        return not_found(f"No point with id {missing[1]} found")
    if text == "Wrong usage of sparse vectors":
        return bad_input(_CONVERSION)
    if "No space left on device" in text:
        return out_of_space()
    if text.startswith("Service runtime error: "):
        return internal(text.removeprefix("Service runtime error: "))
    return bad_input(text)
