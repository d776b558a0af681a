"""The provisioning folder: what its files say, and what makes Grafana refuse to start."""
import hashlib
import json
import os
import re
import sys
import threading
from pathlib import Path

import yaml

VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)")


class Broken(Exception):
    """A file that Grafana does not start with."""


def _expand(value):
    """$NAME and ${NAME} are the environment's, $$ is a dollar; in texts alone, and not in keys."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda m: "$" if m.group() == "$$" else os.environ.get(m.group(1) or m.group(2), ""), value)
    if isinstance(value, list):
        return [_expand(item) for item in value]
    if isinstance(value, dict):
        return {key: _expand(item) for key, item in value.items()}
    return value


def _files(folder):
    """Every file of YAML as a mapping, with its path."""
    for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else []:
        try:
            content = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Broken(f"provisioning error: {path}: {error}") from error
        if content is None:
            continue
        if not isinstance(content, dict):
            raise Broken(f"provisioning error: {path}: expected a mapping")
        yield path, _expand(content)


def _entries(path, content, key):
    entries = content.get(key) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Broken(f"provisioning error: {path}: {key} is no list of mappings")
    return entries


class DataSources:
    def __init__(self):
        self.sources, self.deleted, self.prune = [], [], False

    def apply(self, database):
        for source in database.data_sources():
            if source["name"] in self.deleted:
                database.remove_data_source(source["uid"])
        for source in self.sources:
            database.set_data_source(source)
        if self.prune:
            database.keep_data_sources([source["uid"] for source in self.sources])


def read_data_sources(folder):
    found = DataSources()
    for path, content in _files(folder):
        found.prune = found.prune or content.get("prune") is True
        found.deleted += [str(entry.get("name")) for entry in _entries(path, content, "deleteDatasources")]
        for entry in _entries(path, content, "datasources"):
            name, kind, access = entry.get("name"), entry.get("type"), entry.get("access") or "proxy"
            if not isinstance(name, str) or not name or not isinstance(kind, str) or not kind:
                raise Broken(f"Datasource provisioning error: {path}: a data source needs a name and a type")
            if access not in ("proxy", "direct"):
                raise Broken(f"Datasource provisioning error: {path}: access of {name} is {access}, not proxy or direct")
            number = len(found.sources) + 1
            found.sources.append({
                "id": number, "uid": entry.get("uid") or f"P{hashlib.sha256(name.encode()).hexdigest()[:16].upper()}", "orgId": entry.get("orgId") or 1,
                "name": name, "type": kind, "access": access, "url": entry.get("url") or "",
                "isDefault": entry.get("isDefault") is True, "jsonData": entry.get("jsonData") or {},
                "readOnly": entry.get("editable") is not True, "basicAuth": False,
            })
    for key, what in (("uid", "uid"), ("name", "name")):
        values = [source[key] for source in found.sources]
        if len(set(values)) != len(values):
            raise Broken(f"Datasource provisioning error: two data sources have one {what}")
    if sum(source["isDefault"] for source in found.sources) > 1:
        raise Broken("Datasource provisioning error: only one data source of an organization can be the default")
    return found


def read_dashboard_providers(folder):
    providers = []
    for path, content in _files(folder):
        for entry in _entries(path, content, "providers"):
            options = entry.get("options")
            if not isinstance(options, dict) or not options.get("path"):
                raise Broken(f"Dashboard provisioning error: {path}: options.path is missing")
            if (entry.get("type") or "file") != "file":
                raise Broken(f"Dashboard provisioning error: {path}: the type {entry['type']} is not known")
            if not entry.get("name"):
                raise Broken(f"Dashboard provisioning error: {path}: a provider needs a name")
            providers.append({**entry, "path": Path(options["path"])})
    names = [provider["name"] for provider in providers]
    if len(set(names)) != len(names):
        raise Broken("Dashboard provisioning error: two providers have one name")
    return providers


class Dashboards:
    """Reads the files of every provider, at the start and again and again. A broken one is told and left out."""

    def __init__(self, providers, database):
        self.providers, self.database, self.told = providers, database, set()

    def read(self):
        for provider in self.providers:
            self._read(provider)
        known = {provider["name"] for provider in self.providers}
        for dashboard in self.database.dashboards():
            if dashboard.provider and dashboard.provider not in known:
                self.database.remove_dashboard(dashboard.uid)

    def _read(self, provider):
        found = {}
        if not provider["path"].is_dir():
            self._tell(f"{provider['path']}: no such folder")
        for path in sorted(provider["path"].rglob("*.json")):
            try:
                model = json.loads(path.read_text())
            except ValueError as error:
                self._tell(f"failed to load dashboard from {path}: {error}")
                continue
            if not isinstance(model, dict) or not model.get("title"):
                self._tell(f"failed to load dashboard from {path}: Dashboard title cannot be empty")
                continue
            uid = model.get("uid") or re.sub(r"\W+", "-", path.stem)
            found.setdefault(uid, []).append((path, model))
        for uid, files in found.items():
            if len(files) > 1:
                self._tell(f"the same UID is used more than once: {uid}")
                continue
            [(path, model)] = files
            file = str(path.relative_to(provider["path"]))
            self.database.set_dashboard(uid, provider["name"], file, provider.get("folder") or "", model)
        for dashboard in self.database.dashboards():
            if dashboard.provider == provider["name"] and dashboard.uid not in found and not provider.get("disableDeletion"):
                self.database.remove_dashboard(dashboard.uid)

    def _tell(self, message):
        if message not in self.told:
            self.told.add(message)
            print(f"logger=provisioning.dashboard level=error msg={message!r}", file=sys.stderr, flush=True)

    def watch(self, ended):
        seconds = min((provider.get("updateIntervalSeconds") or 10 for provider in self.providers), default=10)

        def again():
            while not ended.wait(seconds):
                self.read()

        threading.Thread(target=again, daemon=True).start()
