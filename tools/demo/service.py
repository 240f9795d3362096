#!/usr/bin/python3
"""The web service of the demo: health, login, jobs and files, on the database and the file tree."""
import hashlib
import http.server
import json
import os
import secrets
import sys

import psycopg2

storage = os.environ["STORAGE"]
port = int(sys.argv[1])
tokens = {}


def query(sql, *values):
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def user(self):
        return tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))

    def do_GET(self):
        if self.path == "/health":
            jobs = query("SELECT count(*) FROM content_jobs")[0][0]
            return self.answer(200, {"ok": True, "jobs": jobs})
        if self.path.startswith("/v1/storage/"):
            path = os.path.realpath(os.path.join(storage, self.path.removeprefix("/v1/storage/")))
            if not path.startswith(os.path.realpath(storage) + "/") or not os.path.isfile(path):
                return self.answer(404, {"error": "no such file"})
            with open(path, "rb") as file:
                return self.answer(200, file.read(), "application/octet-stream")
        self.answer(404, {"error": "no such page"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/v1/auth/login":
            rows = query("SELECT id, password_hash FROM users WHERE email = %s", body.get("email"))
            number = str(body.get("password", "")).removeprefix("password-")
            expected = hashlib.md5(number.encode()).hexdigest() + hashlib.md5(f"salt{number}".encode()).hexdigest()
            if not rows or not secrets.compare_digest(rows[0][1], expected):
                return self.answer(401, {"error": "wrong e-mail or password"})
            token = secrets.token_hex(16)
            tokens[token] = rows[0][0]
            return self.answer(200, {"access_token": token})
        if self.path == "/v1/jobs":
            if self.user() is None:
                return self.answer(401, {"error": "log in first"})
            rows = query("INSERT INTO content_jobs (user_id, title, status, input) VALUES (%s, %s, 'queued', '{}') "
                         "RETURNING id", self.user(), body["title"])
            return self.answer(201, {"id": rows[0][0], "status": "queued"})
        self.answer(404, {"error": "no such page"})

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
