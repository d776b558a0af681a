"""Reads the cards in intervals, and gives what it read to whoever asks."""
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .cards import cards_given
from .collectors import DEFAULT, Malformed, read

INDEX = "<html><head><title>GPU Exporter</title></head><body><h1>GPU Exporter</h1></body></html>"


def render(cards, fields, hostname, uptime):
    """The text of a scrape: labels in the order of dcgm-exporter up to 4.8.2, which calls the host Hostname."""
    values = {card: card.values(uptime) for card in cards}
    extra = [field for field in fields if field.type == "label"]
    lines = []
    for field in fields:
        samples = []
        for card in cards:
            value = values[card].get(field.name)
            if field.type == "label" or value is None:
                continue
            position = cards.index(card)
            labels = [
                ("gpu", position),
                ("UUID", card.uuid),
                ("pci_bus_id", f"00000000:{0x31 + card.index:02X}:00.0"),
                ("device", f"nvidia{position}"),
                ("modelName", card.name),
                *([("Hostname", hostname)] if hostname else []),
                *((label.name, card.driver) for label in extra if label.name == "DCGM_FI_DRIVER_VERSION"),
            ]
            text = ",".join('%s="%s"' % label for label in labels)
            samples.append(f"{field.name}{{{text}}} {value}")
        if samples:
            lines += [f"# HELP {field.name} {field.help}", f"# TYPE {field.name} {field.type}", *samples]
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/metrics":
            return self.answer(200, self.server.scrape, "text/plain; version=0.0.4; charset=utf-8")
        if path == "/health":
            return self.answer(200, "OK", "text/plain; charset=utf-8")
        if path == "/":
            return self.answer(200, INDEX, "text/html; charset=utf-8")
        return self.answer(404, "404 page not found\n", "text/plain; charset=utf-8")

    def answer(self, status, body, kind):
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main(arguments):
    if arguments:
        print(f"the stand-in reads variables alone, got {' '.join(arguments)}", file=sys.stderr)
        return 1
    environment = os.environ
    try:
        fields = read(environment.get("DCGM_EXPORTER_COLLECTORS", DEFAULT))
    except (OSError, Malformed) as error:
        print(f"level=ERROR msg={str(error)!r}", file=sys.stderr)
        return 1
    interval = int(environment.get("DCGM_EXPORTER_INTERVAL", "30000")) / 1000
    hostname = "" if environment.get("DCGM_EXPORTER_NO_HOSTNAME") == "true" else socket.gethostname()
    host, _, port = environment.get("DCGM_EXPORTER_LISTEN", ":9400").rpartition(":")
    cards, began = cards_given(), time.monotonic()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.scrape = render(cards, fields, hostname, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"level=INFO msg='Starting webserver' cards={len(cards)}", flush=True)
    while not ended.wait(interval):
        server.scrape = render(cards, fields, hostname, time.monotonic() - began)
    server.shutdown()
    return 0
