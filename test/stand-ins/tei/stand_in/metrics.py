"""The metrics of the real program: counters from their first event on, histograms in its buckets, types without help."""
import threading
from collections import defaultdict


def _durations():
    value = 0.00001
    for _ in range(35):
        value *= 1.5
        yield value


DURATIONS = list(_durations())
POWERS = [2.0**power for power in range(21)]
STAGES = ("", "_tokenization", "_queue", "_inference")


class Metrics:
    def __init__(self, max_input_length):
        self.lock = threading.Lock()
        self.counters = defaultdict(float)
        self.gauges = {}
        self.histograms = {}
        self.buckets = {
            "te_request_input_length": [bound for bound in POWERS[:20] if bound <= max_input_length],
            "te_batch_next_size": POWERS[:13],
            "te_batch_next_tokens": POWERS,
        }

    def count(self, name, labels=""):
        with self.lock:
            self.counters[name, labels] += 1

    def add(self, name, by):
        with self.lock:
            self.gauges[name] = self.gauges.get(name, 0) + by

    def observe(self, name, value):
        with self.lock:
            bounds = self.buckets.get(name, DURATIONS)
            counts, total = self.histograms.setdefault(name, ([0] * (len(bounds) + 1), [0.0]))
            total[0] += value
            for index, bound in enumerate([*bounds, float("inf")]):
                if value <= bound:
                    counts[index] += 1

    def stages(self, of, total, tokenization, queue, inference):
        for stage, seconds in zip(STAGES, (total, tokenization, queue, inference)):
            self.observe(f"te_{of}{stage}_duration", seconds)

    def text(self):
        lines = []
        with self.lock:
            names = sorted({name for name, _ in self.counters})
            for name in names:
                lines.append(f"# TYPE {name} counter")
                lines += [
                    f"{name}{labels} {value:g}" for (known, labels), value in sorted(self.counters.items()) if known == name
                ]
                lines.append("")
            for name, value in sorted(self.gauges.items()):
                lines += [f"# TYPE {name} gauge", f"{name} {value}", ""]
            for name, (counts, total) in sorted(self.histograms.items()):
                lines.append(f"# TYPE {name} histogram")
                bounds = [repr(bound).removesuffix(".0") for bound in self.buckets.get(name, DURATIONS)]
                lines += [f'{name}_bucket{{le="{bound}"}} {count}' for bound, count in zip([*bounds, "+Inf"], counts)]
                lines += [f"{name}_sum {total[0]}", f"{name}_count {counts[-1]}", ""]
        return "\n".join(lines) + "\n"
