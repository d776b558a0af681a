"""What /metrics shows: Prometheus text with the names, help texts and labels of the real server."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

# Upper bounds in seconds.
BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 50.0)
# Timings are given for this status only.
TIMED_STATUS = 200

EXPORTED_ENDPOINTS = frozenset(
    "/collections/{collection_name}" + tail
    for tail in (
        "/index",
        "/points",
        "/points/batch",
        "/points/count",
        "/points/delete",
        "/points/payload",
        "/points/query",
        "/points/query/batch",
        "/points/scroll",
        "/points/vectors",
    )
)

Labels = dict[str, str]


class Text:
    """Prometheus' text format, family by family."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._lines: list[str] = []

    def family(self, name: str, kind: str, help: str, samples: list[tuple[Labels, float]]) -> None:
        """Left out when there is no sample, as the real server does."""
        if samples:
            self._head(name, kind, help)
            for labels, value in samples:
                self._sample(name, labels, value)

    def histogram(self, name: str, help: str, samples: list[tuple[Labels, Timings]]) -> None:
        if samples:
            self._head(name, "histogram", help)
        for labels, timings in samples:
            for bound, count in zip([*(f"{bound:g}" for bound in BUCKETS), "+Inf"], timings.cumulative(), strict=True):
                self._sample(f"{name}_bucket", {**labels, "le": bound}, count)
            self._sample(f"{name}_sum", labels, timings.total)
            self._sample(f"{name}_count", labels, timings.count)

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _head(self, name: str, kind: str, help: str) -> None:
        self._lines.append(f"# HELP {self._prefix}{name} {help}")
        self._lines.append(f"# TYPE {self._prefix}{name} {kind}")

    def _sample(self, name: str, labels: Labels, value: float) -> None:
        shown = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        number = f"{value:d}" if isinstance(value, int) else repr(value)
        self._lines.append(f"{self._prefix}{name}{'{' + shown + '}' if shown else ''} {number}")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass
class Timings:
    """Durations in seconds."""

    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))

    @property
    def mean(self) -> float:
        return self.total / self.count

    def observe(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self.least = min(self.least, seconds)
        self.most = max(self.most, seconds)
        for index, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.buckets[index] += 1

    def cumulative(self) -> list[int]:
        return [*self.buckets, self.count]

    def add(self, other: Timings) -> None:
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]


class RequestMetrics:
    """Counts and durations of the REST answers, by method, endpoint, status and collection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timings: dict[tuple[str, str, str, str], Timings] = {}

    def observe(self, method: str, endpoint: str, status: int, collection: str, seconds: float) -> None:
        if endpoint not in EXPORTED_ENDPOINTS:
            return
        with self._lock:
            self._timings.setdefault((method, endpoint, str(status), collection), Timings()).observe(seconds)

    def write(self, text: Text, *, per_collection: bool) -> None:
        samples = self._samples(per_collection)
        timed = [(labels, timings) for labels, timings in samples if labels["status"] == str(TIMED_STATUS)]
        counted: list[tuple[Labels, float]] = [(labels, timings.count) for labels, timings in samples]
        text.family("rest_responses_total", "counter", "total number of responses", counted)
        for name, help, attribute in (
            ("avg", "average response duration", "mean"),
            ("min", "minimum response duration", "least"),
            ("max", "maximum response duration", "most"),
        ):
            rows = [(labels, getattr(timings, attribute)) for labels, timings in timed]
            text.family(f"rest_responses_{name}_duration_seconds", "gauge", help, rows)
        text.histogram("rest_responses_duration_seconds", "response duration histogram", timed)

    def _samples(self, per_collection: bool) -> list[tuple[Labels, Timings]]:
        merged: dict[tuple[str, ...], Timings] = {}
        with self._lock:
            for (method, endpoint, status, collection), timings in self._timings.items():
                key = (method, endpoint, status, collection) if per_collection else (method, endpoint, status)
                merged.setdefault(key, Timings()).add(timings)
        names = ("method", "endpoint", "status", "collection")
        return [(dict(zip(names, key, strict=False)), timings) for key, timings in merged.items()]
