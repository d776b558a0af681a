"""The HTTP API, as far as ragdock and its users ask for it."""
import base64
import json
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

VERSION = "13.2.3"
PROXY_SECONDS = 30
SHORTEST_PASSWORD = 4


class Reply(Exception):
    """Ends the handling of a request with a status and JSON."""

    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


def message(status, text):
    return Reply(status, {"message": text})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.deal()

    def do_POST(self):
        self.deal()

    def do_PUT(self):
        self.deal()

    def do_DELETE(self):
        self.deal()

    def deal(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        try:
            self.route(self.command, [unquote(part) for part in url.path.split("/") if part])
            raise message(404, "Not found")
        except Reply as reply:
            self.finish_with(reply.status, json.dumps(reply.body, ensure_ascii=False).encode(), "application/json; charset=UTF-8")
        except Sent:
            pass

    def route(self, method, parts):
        match method, parts:
            case "GET", ["api", "health"]:
                if not self.server.database.answers():
                    raise Reply(503, {"database": "failing", "version": VERSION, "commit": "stand-in"})
                raise Reply(200, {"database": "ok", "version": VERSION, "commit": "stand-in"})
            case "GET", ["metrics"]:
                return self.metrics()
            case "GET", []:
                self.send_response(302)
                self.send_header("Location", "/login")
                self.send_header("Content-Length", "0")
                self.end_headers()
                raise Sent
            case "GET", ["login"]:
                return self.send(200, b"<!doctype html><title>Grafana</title><p>The stand-in has no pages.", "text/html")
            case _, ["api", *rest]:
                login = self.login()
                self.api(method, rest, login)

    def login(self):
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise message(401, "Unauthorized")
        try:
            login, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError as error:
            raise message(401, "Invalid Basic Auth Header") from error
        if not self.server.database.logs_in(login, password):
            raise message(401, "Invalid username or password")
        return login

    def api(self, method, parts, login):
        match method, parts:
            case "GET", ["user"]:
                raise Reply(200, {"id": 1, "login": login, "email": f"{login}@localhost", "orgId": 1, "isGrafanaAdmin": True})
            case "PUT", ["user", "password"]:
                return self.change_password(login)
            case "GET", ["datasources"]:
                raise Reply(200, self.server.database.data_sources())
            case "GET", ["datasources", "name", name]:
                raise Reply(200, self.data_source("name", name))
            case "GET", ["datasources", "uid", uid]:
                raise Reply(200, self.data_source("uid", uid))
            case "GET", ["datasources", "uid", uid, "health"]:
                return self.check(self.data_source("uid", uid))
            case ("GET" | "POST"), ["datasources", "proxy", "uid", uid, *path]:
                return self.proxy(self.data_source("uid", uid), "/".join(path))
            case ("PUT" | "DELETE"), ["datasources", "uid", uid]:
                self.data_source("uid", uid)
                raise message(403, "Cannot update read-only data source")
            case "GET", ["search"]:
                return self.search()
            case "GET", ["dashboards", "uid", uid]:
                return self.dashboard(uid)
            case "POST", ["dashboards", "db"]:
                return self.save_dashboard()

    def json(self):
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise message(400, "bad request data") from error
        if not isinstance(value, dict):
            raise message(400, "bad request data")
        return value

    def change_password(self, login):
        change = self.json()
        new = change.get("newPassword")
        if not self.server.database.logs_in(login, str(change.get("oldPassword"))):
            raise message(401, "Invalid old password")
        if not isinstance(new, str) or len(new) < SHORTEST_PASSWORD:
            raise message(400, "New password is too short")
        self.server.database.set_password(login, new)
        raise message(200, "User password changed")

    def data_source(self, key, value):
        for source in self.server.database.data_sources():
            if source[key] == value:
                return source
        raise message(404, "Data source not found")

    def check(self, source):
        try:
            with self.open(source, "api/v1/query?query=1%2B1") as answer:
                if json.loads(answer.read()).get("status") == "success":
                    raise Reply(200, {"status": "OK", "message": "Successfully queried the Prometheus API."})
            raise Reply(400, {"status": "ERROR", "message": "the server is no Prometheus"})
        except (OSError, ValueError) as error:
            raise Reply(400, {"status": "ERROR", "message": f"{source['url']}: {error}"}) from error

    def open(self, source, path, body=None, kind=None):
        headers = {} if kind is None else {"Content-Type": kind}
        request = urllib.request.Request(f"{source['url'].rstrip('/')}/{path}", data=body, headers=headers)
        return urllib.request.urlopen(request, timeout=PROXY_SECONDS)

    def proxy(self, source, path):
        query = urlsplit(self.path).query
        body = self.body if self.command == "POST" else None
        try:
            with self.open(source, path + (f"?{query}" if query else ""), body, self.headers.get("Content-Type")) as answer:
                status, kind, content = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, content = error.code, error.headers.get("Content-Type", ""), error.read()
        except OSError as error:
            raise message(502, f"{source['url']}: {error}") from error
        self.send(status, content, kind)

    def search(self):
        wanted = self.query.get("query", [""])[0].lower()
        kind = self.query.get("type", [""])[0]
        dashboards = self.server.database.dashboards()
        folders = sorted({dashboard.folder for dashboard in dashboards if dashboard.folder})
        found = [
            {"uid": folder_uid(folder), "title": folder, "type": "dash-folder", "url": f"/dashboards/f/{folder_uid(folder)}"}
            for folder in folders
            if kind != "dash-db"
        ] + [
            {
                "uid": dashboard.uid, "title": dashboard.model["title"], "type": "dash-db", "url": f"/d/{dashboard.uid}",
                "tags": dashboard.model.get("tags") or [], "folderTitle": dashboard.folder,
            }
            for dashboard in dashboards
            if kind != "dash-folder"
        ]
        raise Reply(200, [entry for entry in found if wanted in entry["title"].lower()])

    def dashboard(self, uid):
        for dashboard in self.server.database.dashboards():
            if dashboard.uid == uid:
                raise Reply(200, {
                    "meta": {
                        "provisioned": dashboard.provider is not None, "provisionedExternalId": dashboard.file,
                        "folderTitle": dashboard.folder, "folderUid": folder_uid(dashboard.folder), "url": f"/d/{uid}",
                    },
                    "dashboard": {**dashboard.model, "uid": uid},
                })
        raise message(404, "Dashboard not found")

    def save_dashboard(self):
        model = self.json().get("dashboard")
        if not isinstance(model, dict) or not model.get("title"):
            raise message(400, "Dashboard title cannot be empty")
        uid = model.get("uid") or f"made-by-hand-{len(self.server.database.dashboards())}"
        if any(dashboard.uid == uid and dashboard.provider for dashboard in self.server.database.dashboards()):
            raise message(400, "Cannot save provisioned dashboard")
        self.server.database.set_dashboard(uid, None, None, "", model)
        raise Reply(200, {"uid": uid, "status": "success", "url": f"/d/{uid}"})

    def metrics(self):
        database = self.server.database
        self.send(200, (
            "# TYPE grafana_build_info gauge\n"
            f'grafana_build_info{{edition="oss",version="{VERSION}"}} 1\n'
            "# TYPE grafana_stat_totals_dashboard gauge\n"
            f"grafana_stat_totals_dashboard {len(database.dashboards())}\n"
            "# TYPE grafana_stat_total_data_sources gauge\n"
            f"grafana_stat_total_data_sources {len(database.data_sources())}\n"
        ).encode(), "text/plain; version=0.0.4; charset=utf-8")

    def send(self, status, content, kind):
        self.finish_with(status, content, kind)
        raise Sent

    def finish_with(self, status, content, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Sent(Exception):
    """The answer is out."""


def folder_uid(folder):
    return "".join(letter if letter.isalnum() else "-" for letter in folder.lower())


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that went away is nothing to speak of."""


def make_server(port, database):
    server = Server(("0.0.0.0", port), Handler)
    server.database = database
    return server
