"""What outlives a restart: the administrator's password, data sources and dashboards, in SQLite in the data folder."""
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time

SCHEMA = """
CREATE TABLE IF NOT EXISTS user (login TEXT PRIMARY KEY, salt BLOB NOT NULL, password BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS data_source (uid TEXT PRIMARY KEY, provisioned INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dashboard (uid TEXT PRIMARY KEY, provider TEXT, file TEXT, folder TEXT, json TEXT NOT NULL);
"""
# Who fails so often within the time is shut out, whatever comes next.
ATTEMPTS, ATTEMPT_SECONDS = 5, 300


def _hash(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 10_000)


class Database:
    def __init__(self, path):
        self.lock = threading.RLock()
        self.failed = []
        try:
            self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self.connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise OSError(f"failed to open the database {path}: {error}") from error

    def _all(self, statement, *values):
        with self.lock:
            return self.connection.execute(statement, values).fetchall()

    def make_admin(self, login, password):
        """Of a new database alone: one that is there keeps its password."""
        if not self._all("SELECT 1 FROM user"):
            self.set_password(login, password)

    def set_password(self, login, password):
        salt = os.urandom(16)
        self._all("INSERT OR REPLACE INTO user VALUES (?, ?, ?)", login, salt, _hash(password, salt))

    def logs_in(self, login, password):
        with self.lock:
            now = time.monotonic()
            self.failed = [(name, at) for name, at in self.failed if now - at < ATTEMPT_SECONDS]
            if sum(name == login for name, _ in self.failed) >= ATTEMPTS:
                return False
            rows = self._all("SELECT salt, password FROM user WHERE login = ?", login)
            if rows and hmac.compare_digest(_hash(password, rows[0][0]), rows[0][1]):
                return True
            self.failed.append((login, now))
            return False

    def data_sources(self):
        return [json.loads(text) for (text,) in self._all("SELECT json FROM data_source ORDER BY uid")]

    def set_data_source(self, source):
        self._all("INSERT OR REPLACE INTO data_source VALUES (?, 1, ?)", source["uid"], json.dumps(source))

    def keep_data_sources(self, uids):
        """Removes those that came from files and are in none any more."""
        for (uid,) in self._all("SELECT uid FROM data_source WHERE provisioned"):
            if uid not in uids:
                self.remove_data_source(uid)

    def remove_data_source(self, uid):
        self._all("DELETE FROM data_source WHERE uid = ?", uid)

    def dashboards(self):
        rows = self._all("SELECT uid, provider, file, folder, json FROM dashboard ORDER BY uid")
        return [Dashboard(*row[:4], json.loads(row[4])) for row in rows]

    def set_dashboard(self, uid, provider, file, folder, model):
        self._all("INSERT OR REPLACE INTO dashboard VALUES (?, ?, ?, ?, ?)", uid, provider, file, folder, json.dumps(model))

    def remove_dashboard(self, uid):
        self._all("DELETE FROM dashboard WHERE uid = ?", uid)

    def answers(self):
        return self._all("SELECT 1") == [(1,)]

    def close(self):
        self.connection.close()


class Dashboard:
    def __init__(self, uid, provider, file, folder, model):
        self.uid, self.provider, self.file, self.folder, self.model = uid, provider, file, folder, model
