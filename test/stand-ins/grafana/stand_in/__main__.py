"""Open the database, provision it, serve."""
import os
import signal
import sys
import threading
from pathlib import Path

from .database import Database
from .configuration import setting
from .provisioning import Broken, Dashboards, read_dashboard_providers, read_data_sources
from .server import make_server


def main():
    folder = Path(os.environ.get("GF_PATHS_PROVISIONING", "/etc/grafana/provisioning"))
    try:
        database = Database(Path(os.environ.get("GF_PATHS_DATA", "/var/lib/grafana")) / "grafana.db")
        database.make_admin(
            setting("GF_SECURITY_ADMIN_USER") or "admin", setting("GF_SECURITY_ADMIN_PASSWORD") or "admin"
        )
        read_data_sources(folder / "datasources").apply(database)
        dashboards = Dashboards(read_dashboard_providers(folder / "dashboards"), database)
        dashboards.read()
        server = make_server(int(os.environ.get("GF_SERVER_HTTP_PORT", "3000")), database)
    except (Broken, OSError) as error:
        print(f"Error: ✗ {error}", file=sys.stderr)
        return 1

    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    dashboards.watch(ended)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("HTTP Server Listen", flush=True)
    while not ended.wait(0.5):
        pass
    server.shutdown()
    database.close()
    return 0


sys.exit(main())
