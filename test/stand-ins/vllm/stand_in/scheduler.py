"""Requests under way: so many run, the others wait, and beyond a limit none is taken."""
import threading


class Queue:
    """`running` is at most `max_num_seqs`; running and waiting together are at most `limit` (None: no limit)."""

    def __init__(self, max_num_seqs, limit):
        self.max_num_seqs, self.limit = max_num_seqs, limit
        self.running = self.waiting = 0
        self.lock = threading.Condition()

    def enter(self):
        """Takes a place among the waiting; False when the queue is full."""
        with self.lock:
            if self.limit is not None and self.running + self.waiting >= self.limit:
                return False
            self.waiting += 1
            return True

    def run(self, seconds):
        """Waits up to `seconds` for its turn; True once it runs."""
        with self.lock:
            if not self.lock.wait_for(lambda: self.running < self.max_num_seqs, seconds):
                return False
            self.waiting -= 1
            self.running += 1
            return True

    def leave(self, is_running):
        with self.lock:
            if is_running:
                self.running -= 1
            else:
                self.waiting -= 1
            self.lock.notify_all()

    @property
    def open(self):
        return self.running + self.waiting
