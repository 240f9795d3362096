"""A part of the suite `postgres`: archiving segments one by one, as a server's archiver does, and fetching them
back, as a server does that recovers. Against pgBackRest, synchronous and with its two background processes."""
import ctypes
import filecmp
import json
import os
import resource
import shutil
import signal
import subprocess
import time

from measuring import Measured, level_memory, our_env, write_plan

SEGMENTS = 64
PR_SET_CHILD_SUBREAPER = 36
# Either of the two: so many segments a second, or so many times the better peer's.
BARS = {"push": (25, 2), "fetch": (40, 2)}


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as listed:
        return [int(number) for number in listed.read().split()]


def one_by_one(commands, cwd, user, env, after):
    """Runs the commands in order, and waits for what they left running. Wall of the commands, CPU of all."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(out)
            # What the commands start and leave becomes ours, so that its CPU is counted too.
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            started = time.monotonic()
            for number, command in enumerate(commands):
                subprocess.run(command, cwd=cwd, env={**os.environ, **env}, user=user, group=user,
                               extra_groups=[] if user else None, check=True, stdout=subprocess.DEVNULL)
                after(number)
            wall = time.monotonic() - started
            for left in children():
                os.kill(left, signal.SIGTERM)
            while children():
                os.wait()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(into, json.dumps([wall, used.ru_utime, used.ru_stime, used.ru_maxrss / 1024]).encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as told:
        text = told.read()
    os.waitpid(pid, 0)
    if not text:
        raise SystemExit("bench: a command of the log failed")
    return Measured(*json.loads(text))


class Log:
    """Complete segments of a server that runs no more, all still to be archived."""

    def __init__(self, server):
        self.server, self.wal = server, os.path.join(server.data, "pg_wal")
        self.status = os.path.join(self.wal, "archive_status")
        ready = sorted(name[:-6] for name in os.listdir(self.status) if name.endswith(".ready") and len(name) == 30)
        self.names = ready[:SEGMENTS]
        if len(self.names) < SEGMENTS:
            raise SystemExit(f"bench: only {len(self.names)} segments of log")

    def all_ready(self):
        for name in self.names:
            done = os.path.join(self.status, name + ".done")
            if os.path.exists(done):
                os.rename(done, os.path.join(self.status, name + ".ready"))

    def push(self, command, env):
        self.all_ready()
        os.sync()
        level_memory()

        def archived(number):
            at = os.path.join(self.status, self.names[number])
            os.rename(at + ".ready", at + ".done")
        return one_by_one([[*command, f"pg_wal/{name}"] for name in self.names], self.server.data, self.server.user,
                          env, archived)

    def fetch(self, command, env, kept):
        os.sync()
        level_memory()
        target = os.path.join(self.wal, "RECOVERYXLOG")

        def keep(number):
            os.rename(target, os.path.join(kept, self.names[number]))
        measured = one_by_one([[*command, name, "pg_wal/RECOVERYXLOG"] for name in self.names], self.server.data,
                              self.server.user, env, keep)
        for name in self.names:
            if not filecmp.cmp(os.path.join(kept, name), os.path.join(self.wal, name), shallow=False):
                raise SystemExit(f"bench: the fetched segment {name} differs")
        shutil.rmtree(kept)
        return measured


def brest_config(server, folder, spool):
    """pgBackRest at its best here, with a repository of its own."""
    path = os.path.join(folder, "pgbackrest.conf")
    with open(path, "w") as out:
        out.write(f"[global]\nrepo1-path={folder}/br\nlog-path={folder}\nlock-path={folder}\nrepo1-cipher-type=aes-256-cbc\n"
                  "repo1-cipher-pass=bench\ncompress-type=zst\ncompress-level=1\nprocess-max=2\nlog-level-console=error\n"
                  f"log-level-file=off\n{spool}[main]\npg1-path={server.data}\npg1-port={server.port}\n"
                  f"pg1-socket-path={server.work}/socket\n")
    return path


def given(server, path):
    os.makedirs(path, mode=0o700)
    if server.user:
        shutil.chown(path, server.user)
    return path


def prepare_peers(server, folder):
    """While the server runs: name -> command without its verb."""
    peers = {}
    for name, spool in (("pgBackRest sync", ""), ("pgBackRest async", "archive-async=y\nspool-path={}/spool\n")):
        own = given(server, os.path.join(folder, name.split()[1]))
        for part in ("br", "spool"):
            given(server, os.path.join(own, part))
        config = brest_config(server, own, spool.format(own))
        command = ["pgbackrest", f"--config={config}", "--stanza=main"]
        subprocess.run([*command, "stanza-create"], user=server.user, group=server.user,
                       extra_groups=[] if server.user else None, cwd="/", check=True)
        peers[name] = command
    return peers


def prepare_ours(lifeboat, server, folder):
    own = given(server, os.path.join(folder, "ours"))
    plan = write_plan(own, "  db: {postgres: unused, every: daily 02:00}\n")
    env = our_env(own)
    subprocess.run([lifeboat, "--plan", plan, "--quiet", "init"], env={**os.environ, **env}, user=server.user,
                   group=server.user, extra_groups=[] if server.user else None, cwd="/", check=True,
                   stdout=subprocess.DEVNULL)
    return lambda verb: [lifeboat, "wal", verb, "--plan", plan, "--store", "db"], env


def judge(table):
    missed = 0
    for verb, (rate, times) in BARS.items():
        step = f"{verb} {SEGMENTS} segments"
        ours = table.figures(step, "lifeboat")
        peer = min(table.figures(step, name)["wall"] for name in ("pgBackRest sync", "pgBackRest async"))
        rates = SEGMENTS / ours["wall"], SEGMENTS / peer
        met = rates[0] >= rate or rates[0] >= times * rates[1]
        missed += not met
        print(f"{verb}: {rates[0]:.1f} segments/s and {1000 * ours['cpu'] / SEGMENTS:.1f} ms CPU each, pgBackRest "
              f"{rates[1]:.1f}: {rates[0] / rates[1]:.2f} times; bar {rate}/s or {times} times: "
              f"{'met' if met else 'MISSED'}")
    return missed


def run(lifeboat, server, folder, table, repeat, make_log):
    """Leaves the server stopped. `make_log`: writes enough of it while nothing is archived."""
    given(server, folder)
    ours, env, peers = [], None, []
    for turn in range(repeat):
        own = given(server, os.path.join(folder, str(turn)))
        peers.append(prepare_peers(server, own))
        command, env = prepare_ours(lifeboat, server, own)
        ours.append((command, env))
    make_log()
    server.stop()
    log = Log(server)
    kept = lambda: given(server, os.path.join(folder, "fetched"))
    for turn in range(repeat):
        command, env = ours[turn]
        step = f"push {SEGMENTS} segments"
        table.add(step, "lifeboat", log.push(command("push"), env))
        for name, peer in peers[turn].items():
            table.add(step, name, log.push([*peer, "archive-push"], {}))
        step = f"fetch {SEGMENTS} segments"
        table.add(step, "lifeboat", log.fetch(command("fetch"), env, kept()))
        for name, peer in peers[turn].items():
            table.add(step, name, log.fetch([*peer, "archive-get"], {}, kept()))
