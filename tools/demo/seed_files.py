#!/usr/bin/python3
"""Makes the file tree of the demo and the rows that refer to it: seed_files.py FOLDER COUNT | psql"""
import os
import random
import sys

folder, count = sys.argv[1], int(sys.argv[2])
source = random.Random(42)
print("COPY content_artifacts (job_id, artifact_type, storage_key, bytes) FROM stdin;")
for number in range(1, count + 1):
    kind = ("voiceovers", "videos", "artifacts")[number % 3]
    key = f"{kind}/{number // 500:03d}/{number:06d}.bin"
    path = os.path.join(folder, key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    size = source.randrange(2000, 30000)
    with open(path, "wb") as out:
        out.write(source.randbytes(size))
    print(f"{1 + number * 31 % 200000}\t{kind}\t{key}\t{size}")
print("\\.")
