"""The floor that beats are measured against: the same server, a bare Flask view, one committed SQLite row a request."""

from __future__ import annotations

import os
import sqlite3
import threading

from flask import Flask, Response, request

app = Flask(__name__)
_turn = threading.Lock()
_file = os.environ["BENCH_FLOOR"]
_connection = sqlite3.connect(_file, check_same_thread=False, isolation_level=None)
_connection.execute("PRAGMA journal_mode=WAL")
_connection.execute("PRAGMA synchronous=FULL")
_connection.execute("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, said TEXT NOT NULL)")


@app.post("/row")
def row() -> Response:
    said = request.get_data(as_text=True)
    with _turn:
        _connection.execute("BEGIN IMMEDIATE")
        _connection.execute("INSERT INTO row (said) VALUES (?)", (said,))
        _connection.execute("COMMIT")
    return Response("{}", mimetype="application/json")
