"""Restores over a data directory that is there: nothing spoiled, and 2 % of the pages."""
import os
import random
import subprocess

PAGE = 8192


def spoil(folder, share, seed):
    """Writes noise over pages of relations, each page with this chance."""
    chance = random.Random(seed)
    for where, _, names in sorted(os.walk(os.path.join(folder, "base"))):
        for name in sorted(names):
            path = os.path.join(where, name)
            pages = os.path.getsize(path) // PAGE
            with open(path, "r+b") as out:
                for page in range(pages):
                    if chance.random() < share:
                        out.seek(page * PAGE)
                        out.write(chance.randbytes(PAGE))


def check(folder):
    """The server's own judge: a mended page that is still wrong ends the run."""
    done = subprocess.run(["/usr/lib/postgresql/15/bin/pg_checksums", "--check", "-D", folder],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {folder}: {done.stderr.strip() or done.stdout.strip()}")


def delta_rows(table, ours, brest, recover, restored):
    """`restored`: the folders of the full restores before, ours and the peer's; both recovered and stopped."""
    for step, share in (("delta, nothing spoiled", 0), ("delta, 2 % spoiled", 0.02)):
        for seed, folder in enumerate(restored):
            spoil(folder, share, seed)
        mine, its = restored
        table.add(step, "lifeboat", ours("restore", "db", "--to", mine, "--delta", "--confirm", "bench"))
        mended = brest("restore", f"--pg1-path={its}", "--archive-mode=off", "--delta")
        table.add(step, "pgBackRest", mended.plus(recover(its)))
        check(mine)
        check(its)
