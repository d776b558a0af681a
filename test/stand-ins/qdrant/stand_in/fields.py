"""Reading typed fields out of a parsed body, with serde's messages for what does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeGuard
from uuid import UUID

from .errors import BodyError, InvalidValue
from .json_body import describe

Object = dict[str, Any]
# As the engine gives and takes it; in JSON a UUID is a string.
PointId = int | UUID | str


def invalid_type(value: Any, expected: str) -> BodyError:
    return BodyError(f"invalid type: {describe(value)}, expected {expected}")


def missing(name: str) -> BodyError:
    return BodyError(f"missing field `{name}`")


def no_variant(enumeration: str) -> BodyError:
    return BodyError(f"data did not match any variant of untagged enum {enumeration}")


def as_object(value: Any, expected: str) -> Object:
    if not isinstance(value, dict):
        raise invalid_type(value, expected)
    return value


def as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise invalid_type(value, "a sequence")
    return value


def as_string(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid_type(value, "a string")
    return value


def as_choice(value: Any, choices: Iterable[str]) -> str:
    listed = list(choices)
    text = as_string(value)
    if text not in listed:
        names = ", ".join(f"`{choice}`" for choice in listed)
        expected = names.replace(", ", " or ") if len(listed) == 2 else f"one of {names}"
        raise BodyError(f"unknown variant `{text}`, expected {expected}")
    return text


def is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_size(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def optional_float(body: Object, name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not is_number(value):
        raise invalid_type(value, "f32")
    return float(value)


def optional_bool(body: Object, name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid_type(value, "a boolean")
    return value


def optional_size(body: Object, name: str, kind: str = "usize") -> int | None:
    value = body.get(name)
    if value is None or is_size(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        raise BodyError(f"invalid value: integer `{value}`, expected {kind}")
    raise invalid_type(value, kind)


def positive_size(body: Object, name: str, place: str, default: int) -> int:
    """A count of at least 1; 0 is a value out of range, not a wrong shape."""
    value = optional_size(body, name)
    if value == 0:
        raise InvalidValue(f"{place}{name}", "value 0 invalid, must be 1 or larger")
    return default if value is None else value


_UUID_FORMS = re.compile(
    r"(urn:uuid:)?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}"
    r"|\{[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\}"
)


def uuid_id(text: str) -> str | None:
    """A UUID in any of the accepted spellings, in its usual one; None for anything else."""
    return str(UUID(text)) if _UUID_FORMS.fullmatch(text) else None


def as_point_id(value: Any) -> PointId:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str) and (uuid := uuid_id(value)) is not None:
        return uuid
    shown = value if isinstance(value, (str, int)) and not isinstance(value, bool) else describe(value)
    raise BodyError(f"value {shown} is not a valid point ID, valid values are either an unsigned integer or a UUID")
