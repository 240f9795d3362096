#!/usr/bin/python3
"""The write load of the demo: each turn writes a file, then the rows that refer to it, and moves credits.

Every acknowledged commit is noted with its time in the acknowledgement log, so that the demo can say
afterwards what was really lost. Ends when its standard input closes.
"""
import datetime
import os
import random
import select
import sys

import psycopg2

connection = psycopg2.connect(os.environ["DATABASE_URL"])
storage, log_path = sys.argv[1], sys.argv[2]
source = random.Random()
with open(log_path, "a", buffering=1) as log:
    while True:
        if select.select([sys.stdin], [], [], 0.008)[0] and not sys.stdin.read(1):
            break
        key = f"artifacts/new/{source.getrandbits(64):016x}.bin"
        path = os.path.join(storage, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = source.randbytes(source.randrange(2000, 20000))
        # The file is whole under its name before any row may refer to it.
        with open(path + ".part", "wb") as out:
            out.write(data)
        os.rename(path + ".part", path)
        user, cost = source.randrange(1, 20001), source.randrange(1, 5)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO content_jobs (user_id, title, status, input) "
                    "VALUES (%s, 'live job', 'done', '{\"live\": true}') RETURNING id", (user,))
                job = cursor.fetchone()[0]
                cursor.execute(
                    "INSERT INTO content_artifacts (job_id, artifact_type, storage_key, bytes) "
                    "VALUES (%s, 'artifacts', %s, %s)", (job, key, len(data)))
                cursor.execute(
                    "INSERT INTO credit_transactions (user_id, amount, reason) VALUES (%s, %s, 'job')", (user, -cost))
                cursor.execute("UPDATE credit_balances SET balance = balance - %s WHERE user_id = %s", (cost, user))
        except psycopg2.Error:
            break  # the database was killed: that is the demo
        now = datetime.datetime.now(datetime.timezone.utc)
        log.write(f"{now.isoformat()} {job}\n")
