"""Collections, their payload indexes, and aliases."""

from __future__ import annotations

from typing import Any

from . import collection_config, payload_index
from .call import Call
from .errors import BodyError
from .fields import Object, as_list, as_object, as_string, missing
from .storage import alias_list

_ALIAS_FIELDS = {
    "create_alias": ("collection_name", "alias_name"),
    "delete_alias": ("alias_name",),
    "rename_alias": ("old_alias_name", "new_alias_name"),
}


def list_collections(call: Call) -> Object:
    return {"collections": [{"name": name} for name in call.server.storage.names]}


def exists(call: Call) -> Object:
    return {"exists": call.server.storage.exists(call.path["collection_name"])}


def info(call: Call) -> Object:
    return call.collection.info()


def create(call: Call) -> bool:
    config = collection_config.create(call.body)
    call.need_full_access()
    call.server.storage.create(call.path["collection_name"], config)
    return True


def update(call: Call) -> bool:
    body = call.body
    call.need_full_access()
    call.collection.reconfigure(lambda config: collection_config.update(config, body))
    return True


def delete(call: Call) -> bool:
    call.need_full_access()
    return call.server.storage.delete(call.path["collection_name"])


def create_index(call: Call) -> Object:
    body = as_object(call.body, "struct CreateFieldIndex")
    if "field_name" not in body:
        raise missing("field_name")
    field: str = as_string(body["field_name"])
    schema: Any = body.get("field_schema", body.get("field_type"))
    payload_index.to_engine(schema)
    call.need_full_access()
    return call.collection.create_index(field, schema, wait=call.wait)


def delete_index(call: Call) -> Object:
    call.need_full_access()
    return call.collection.delete_index(call.path["field_name"], wait=call.wait)


def list_aliases(call: Call) -> Object:
    return {"aliases": alias_list(call.server.storage.aliases)}


def list_collection_aliases(call: Call) -> Object:
    name = call.collection.name
    return {"aliases": alias_list(call.server.storage.aliases, name)}


def change_aliases(call: Call) -> bool:
    actions = as_list(as_object(call.body, "struct ChangeAliasesOperation").get("actions"))
    for action in actions:
        kind = next((kind for kind in _ALIAS_FIELDS if isinstance(action, dict) and kind in action), None)
        if kind is None:
            raise BodyError("data did not match any variant of untagged enum AliasOperations")
        for name in _ALIAS_FIELDS[kind]:
            as_string(as_object(action[kind], "a map").get(name))
    call.need_full_access()
    call.server.storage.change_aliases(actions)
    return True
