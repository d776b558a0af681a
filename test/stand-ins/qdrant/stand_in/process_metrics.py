"""The server process, from /proc."""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path

from .metrics import Text

_PROC = Path("/proc/self")


def write(text: Text) -> None:
    status = dict(re.findall(r"^(\w+):\s+(\d+)", (_PROC / "status").read_text(), re.MULTILINE))
    resident = int(status["VmRSS"]) * 1024
    private = int(status["RssAnon"]) * 1024
    # No jemalloc here: what it would call active and allocated is the private memory, and it keeps nothing back.
    for name, help, value in (
        ("active", "Total number of bytes in active pages allocated by the application", private),
        ("allocated", "Total number of bytes allocated by the application", private),
        ("metadata", "Total number of bytes dedicated to metadata", 0),
        ("resident", "Maximum number of bytes in physically resident data pages mapped", resident),
        ("retained", "Total number of bytes in virtual memory mappings", 0),
    ):
        text.family(f"memory_{name}_bytes", "gauge", help, [({}, value)])
    # Fields 10 and 12 of stat(5), counted from after the command's closing parenthesis.
    fields = (_PROC / "stat").read_text().rpartition(")")[2].split()
    for name, kind, help, value in (
        ("process_threads", "gauge", "count of active threads", int(status["Threads"])),
        ("process_open_mmaps", "gauge", "count of open mmaps", (_PROC / "maps").read_text().count("\n")),
        (
            "system_max_mmaps", "gauge", "system wide limit of open mmaps",
            int(Path("/proc/sys/vm/max_map_count").read_text()),
        ),
        ("process_open_fds", "gauge", "count of currently open file descriptors", len(os.listdir(_PROC / "fd"))),
        (
            "process_max_fds", "gauge", "limit for open file descriptors",
            resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        ),
        (
            "process_minor_page_faults_total", "counter", "count of minor page faults which didn't cause a disk access",
            int(fields[7]),
        ),
        (
            "process_major_page_faults_total", "counter", "count of disk accesses caused by a mmap page fault",
            int(fields[9]),
        ),
    ):  # fmt: skip
        text.family(name, kind, help, [({}, value)])
