"""All collections and aliases of a server, in the storage folder."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from . import collection_config
from .collection import Collection, write_atomically
from .errors import ApiError, bad_input, bad_request, no_collection
from .fields import Object
from .settings import Settings

log = logging.getLogger("storage")

# As the real server's flush_interval_sec.
FLUSH_INTERVAL_SECONDS = 5.0


class Storage:
    def __init__(self, settings: Settings) -> None:
        """Raises OSError or the engine's error if the folder cannot be used or is in use already."""
        self._root = settings.storage_path
        self._max_collections = settings.max_collections
        self._changing = threading.RLock()
        self._collections: dict[str, Collection] = {}
        self._aliases: dict[str, str] = {}
        self._stop_flushing = threading.Event()

        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.iterdir()):
            log.info("Loading collection: %s", path.name)
            if (collection := Collection.load(path, settings.recovery_mode)) is not None:
                self._collections[collection.name] = collection
        if self._alias_file.exists():
            self._aliases = json.loads(self._alias_file.read_text("utf-8"))
        self._flusher = threading.Thread(target=self._flush_regularly, name="flush", daemon=True)
        self._flusher.start()

    @property
    def _folder(self) -> Path:
        return self._root / "collections"

    @property
    def _alias_file(self) -> Path:
        return self._root / "aliases.json"

    @property
    def names(self) -> list[str]:
        with self._changing:
            return sorted(self._collections)

    @property
    def aliases(self) -> dict[str, str]:
        with self._changing:
            return dict(self._aliases)

    def exists(self, name: str) -> bool:
        with self._changing:
            return name in self._collections or name in self._aliases

    def get(self, name: str) -> Collection:
        """By its name or an alias."""
        with self._changing:
            collection = self._collections.get(self._aliases.get(name, name))
        if collection is None:
            raise no_collection(name)
        return collection

    def create(self, name: str, config: Object) -> None:
        with self._changing:
            collection_config.check_names(config)
            if name in self._collections:
                raise ApiError(409, f"Wrong input: Collection `{name}` already exists!")
            if name in self._aliases:
                raise bad_input(f"Can't create collection with name {name}. Alias with the same name already exists")
            if self._max_collections is not None and len(self._collections) >= self._max_collections:
                limit = f"Max collections limit reached: {self._max_collections}"
                raise bad_request(f"Can't create collection with name {name}. {limit}")
            log.info("Creating collection %s", name)
            self._collections[name] = Collection.create(name, self._folder / name, config)

    def delete(self, name: str) -> bool:
        """Not through an alias. The collection's own aliases go with it."""
        with self._changing:
            collection = self._collections.pop(name, None)
            if collection is None:
                return False
            if name in self._aliases.values():
                self._save_aliases({alias: target for alias, target in self._aliases.items() if target != name})
        collection.delete()
        return True

    def change_aliases(self, actions: list[Object]) -> None:
        """All or none, in one step."""
        with self._changing:
            changed = dict(self._aliases)
            for action in actions:
                self._change_alias(changed, action)
            self._save_aliases(changed)

    def _change_alias(self, aliases: dict[str, str], action: Object) -> None:
        if create := action.get("create_alias"):
            alias, collection = create["alias_name"], create["collection_name"]
            if collection not in self._collections:
                raise no_collection(collection)
            if alias in self._collections:
                raise ApiError(409, f"Wrong input: Collection `{alias}` already exists!")
            aliases[alias] = collection
        elif delete := action.get("delete_alias"):
            aliases.pop(delete["alias_name"], None)
        elif rename := action.get("rename_alias"):
            old, new = rename["old_alias_name"], rename["new_alias_name"]
            if old not in aliases:
                raise ApiError(404, f"Not found: Alias {old} does not exists!")
            aliases[new] = aliases.pop(old)

    def _save_aliases(self, aliases: dict[str, str]) -> None:
        write_atomically(self._alias_file, json.dumps(aliases, ensure_ascii=False))
        self._aliases = aliases

    def collections(self) -> list[Collection]:
        with self._changing:
            return list(self._collections.values())

    def close(self) -> None:
        """Flush what may be flushed. The shards stay open: closing one would flush it in any case."""
        self._stop_flushing.set()
        self._flusher.join()
        self._flush()

    def _flush_regularly(self) -> None:
        while not self._stop_flushing.wait(FLUSH_INTERVAL_SECONDS):
            self._flush()

    def _flush(self) -> None:
        for collection in self.collections():
            try:
                collection.flush()
            except Exception as error:  # the engine has no exception types of its own
                log.error("Flushing collection %s failed: %s", collection.name, error)


def alias_list(aliases: dict[str, str], collection: str | None = None) -> list[dict[str, Any]]:
    return [
        {"alias_name": alias, "collection_name": target}
        for alias, target in aliases.items()
        if collection is None or target == collection
    ]
