"""The file that says what to collect: a field, its type and its help on each line."""
import csv
import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT = "/etc/dcgm-exporter/default-counters.csv"
TYPES = ("gauge", "counter", "histogram", "summary", "label")
SYS_ADMIN = 1 << 21


class Malformed(Exception):
    """The real program ends at such a file."""


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    help: str


def read(path):
    lines = [line for line in Path(path).read_text().splitlines() if line.strip() and not line.startswith("#")]
    fields = []
    for number, record in enumerate(csv.reader(lines)):
        record = [part.strip(" ") for part in record]
        if len(record) != 3:
            raise Malformed(f"malformed CSV record; err: failed to parse line {number} (`{record}`), expected 3 fields")
        name, kind, help_ = record
        if not name.startswith("DCGM_"):
            raise Malformed(f"could not find DCGM field; err: unknown ExporterCounter field '{name}'")
        if kind not in TYPES:
            raise Malformed(f"could not find Prometheus metric type '{kind}'")
        if name.startswith("DCGM_FI_PROF_") and not may_profile():
            print(f"Skipping line {number} ('{name}'): metric not enabled", flush=True)
            continue
        fields.append(Field(name, kind, help_))
    return fields


def may_profile():
    """The profiler is for root with CAP_SYS_ADMIN."""
    status = Path("/proc/self/status").read_text()
    effective = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    return os.geteuid() == 0 and bool(effective & SYS_ADMIN)
