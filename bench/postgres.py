"""The suite `postgres`: backups, page-exact incrementals, restores and the log of a throwaway server, against
pgBackRest and plain copies."""
import json
import os
import resource
import shutil
import socket
import subprocess
import time

import postgres_bars
import postgres_restore
import wal
from measuring import Measured, Table, level_memory, measure, our_env, our_verbs, stored_bytes

POSTGRES = "/usr/lib/postgresql/15/bin"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A throwaway PostgreSQL with pgbench data and pgBackRest as its archiver."""

    def __init__(self, work, scale):
        self.user = "postgres" if os.getuid() == 0 else None
        self.data, self.port, self.work = os.path.join(work, "pgdata"), free_port(), work
        for folder in ("pgdata", "br", "br-log", "socket"):
            os.mkdir(os.path.join(work, folder), 0o700)
            if self.user:
                shutil.chown(os.path.join(work, folder), self.user)
        self.config = os.path.join(work, "pgbackrest.conf")
        with open(self.config, "w") as out:
            out.write(f"[global]\nrepo1-path={work}/br\nlog-path={work}/br-log\nlock-path={work}/br-log\n"
                      "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=bench\ncompress-type=zst\ncompress-level=1\n"
                      "process-max=2\nstart-fast=y\nrepo1-retention-full=9\nlog-level-console=error\n"
                      f"spool-path={work}/br-log\n"
                      f"[main]\npg1-path={self.data}\npg1-port={self.port}\npg1-socket-path={work}/socket\n")
        self.run("initdb", "-D", self.data, "--data-checksums", "--no-sync", "-U", "postgres", "-A", "trust")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as out:
            out.write(f"port={self.port}\nlisten_addresses=''\nunix_socket_directories='{work}/socket'\n"
                      "wal_level=replica\narchive_mode=on\nmax_wal_size=4GB\n"
                      f"archive_command='pgbackrest --config={self.config} --stanza=main archive-push %p'\n")
        self.run("pg_ctl", "-D", self.data, "-l", os.path.join(work, "br-log", "pg.log"), "-w", "start")
        self.env = {"PGHOST": os.path.join(work, "socket"), "PGPORT": str(self.port), "PGUSER": "postgres"}
        self.fill(scale)

    def fill(self, scale):
        # With some room in each page, so that a changed row changes its page alone.
        measure([f"{POSTGRES}/pgbench", "-i", "-q", "-F", "90", "-s", str(scale), "postgres"], self.env, "/", self.user)

    def ask(self, sql):
        return subprocess.run([f"{POSTGRES}/psql", "-Atqc", sql, "postgres"], env={**os.environ, **self.env},
                              check=True, capture_output=True, text=True).stdout.strip()

    def change_pages(self, chance):
        """Changes a row in each page of the largest table with this chance; then both archives catch up."""
        self.ask("UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE ctid = ANY(ARRAY(SELECT "
                 "(SELECT min(ctid) FROM pgbench_accounts WHERE ctid >= format('(%s,0)', b)::tid AND "
                 "ctid < format('(%s,0)', b + 1)::tid) FROM generate_series(0, (pg_relation_size("
                 f"'pgbench_accounts') / 8192)::int - 1) b WHERE random() < {chance}))")
        self.settle()

    def settle(self):
        self.ask("SELECT pg_switch_wal()")
        self.ask("CHECKPOINT")
        while any(name.endswith(".ready") for name in self.waiting()):
            time.sleep(0.1)
        while self.ask("SELECT count(*) FROM pg_stat_replication WHERE application_name = 'lifeboat_stream' AND "
                       "flush_lsn < (SELECT pg_current_wal_flush_lsn())") != "0":
            time.sleep(0.1)

    def run(self, tool, *words):
        measure([f"{POSTGRES}/{tool}", *words], user=self.user, cwd="/")

    def waiting(self):
        """What waits to be archived."""
        return os.listdir(os.path.join(self.data, "pg_wal", "archive_status"))

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")


def recover_alone(server, folder):
    """Starts the restored copy until it is promoted, then stops it: what lifeboat's restore includes."""
    port = free_port()
    with open(os.path.join(folder, "postgresql.conf"), "a") as out:
        out.write(f"port={port}\narchive_mode=off\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    server.run("pg_ctl", "-D", folder, "-l", os.path.join(server.work, "br-log", "restored.log"), "-w", "start")
    ask = [f"{POSTGRES}/psql", "-h", os.path.join(server.work, "socket"), "-p", str(port), "-U", "postgres",
           "-Atc", "SELECT pg_is_in_recovery()"]
    while subprocess.run(ask, capture_output=True, text=True).stdout.strip() != "f":
        time.sleep(0.02)
    server.run("pg_ctl", "-D", folder, "-m", "fast", "-w", "stop")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Measured(time.monotonic() - started, after.ru_utime - before.ru_utime,
                    after.ru_stime - before.ru_stime, 0)


def without_log(folder):
    """Bytes of our repository or theirs, but for the log."""
    return sum(stored_bytes(os.path.join(folder, name)) for name in os.listdir(folder) if name not in ("w", "archive"))


class Ours:
    """Our program on one repository, with the log streaming into it."""

    def __init__(self, lifeboat, server, folder):
        os.mkdir(folder)
        self.server, self.folder, self.repository = server, folder, os.path.join(folder, "repository")
        address = f"host={server.work}/socket port={server.port} user=postgres dbname=postgres"
        store = f"  db: {{postgres: \"{address}\", log: continuous, data: {server.data}, every: daily 02:00}}\n"
        self.verbs = our_verbs(lifeboat, folder, store)
        self.verbs("init")
        self.first = self.verbs("backup")
        self.stream = subprocess.Popen(
            [lifeboat, "--plan", os.path.join(folder, "lifeboat.yaml"), "--quiet", "backup", "db", "--follow"],
            env={**os.environ, **our_env(folder)})
        while server.ask("SELECT count(*) FROM pg_stat_replication WHERE application_name = 'lifeboat_stream'") == "0":
            time.sleep(0.1)

    def mode(self):
        """Of the newest point: a backup that silently became another kind would prove nothing."""
        env = {**os.environ, **our_env(self.folder)}
        words = [self.stream.args[0], "--plan", os.path.join(self.folder, "lifeboat.yaml"), "--json"]
        listed = subprocess.run([*words, "ls"], env=env, check=True, capture_output=True)
        newest = json.loads(listed.stdout.splitlines()[-1])["points"][-1]["id"]
        shown = subprocess.run([*words, "show", newest], env=env, check=True, capture_output=True)
        return json.loads(shown.stdout.splitlines()[-1])["details"]["mode"]

    def backup(self, mode):
        before = without_log(self.repository)
        measured = self.verbs("backup")
        if self.mode() != mode:
            raise SystemExit(f"bench: our backup was {self.mode()} instead of {mode}")
        return measured, without_log(self.repository) - before

    def end(self):
        self.stream.terminate()
        self.stream.wait()
        self.server.ask("SELECT pg_drop_replication_slot('lifeboat_db')")


def copy_flushed(source, target):
    return measure(["bash", "-c", f"cp -a '{source}' '{target}' && sync -f '{target}'"])


def life(lifeboat, server, table, work, turn, large_pages):
    run = os.path.join(work, f"run{turn}")
    brest_home = os.path.join(work, "br")

    def brest(*words):
        return measure(["pgbackrest", f"--config={server.config}", "--stanza=main", *words], user=server.user, cwd="/")

    def both(step, mode, kind):
        for tool in ("lifeboat", "pgBackRest"):
            server.settle()
            if tool == "lifeboat":
                table.add(step, tool, *ours.backup(mode))
                continue
            before = without_log(brest_home)
            measured = brest("backup", f"--type={kind}")
            table.add(step, tool, measured, without_log(brest_home) - before)

    server.settle()
    ours = Ours(lifeboat, server, run)
    try:
        table.add("full backup", "lifeboat", ours.first, without_log(ours.repository))
        server.settle()
        before = without_log(brest_home)
        table.add("full backup", "pgBackRest", brest("backup", "--type=full"), without_log(brest_home) - before)
        plain = os.path.join(run, "base")
        table.add("full backup", "pg_basebackup",
                  measure([f"{POSTGRES}/pg_basebackup", "-D", plain, "-c", "fast", "-X", "stream"], server.env))
        table.add("full backup", "cp -a, flushed", copy_flushed(plain, os.path.join(run, "copy")))
        both("incremental, empty", "pages", "incr")
        server.change_pages(0.02)
        both("incremental, 2 %", "pages", "incr")
        server.change_pages(large_pages)
        table.add("incremental, same change", "lifeboat", *ours.backup("pages"))
        both("incremental, empty", "pages", "incr")
        mine, its = os.path.join(run, "ours"), os.path.join(work, f"restored{turn}")
        level_memory()
        table.add("restore, recovered", "lifeboat", ours.verbs("restore", "db", "--to", mine))
        os.mkdir(its, 0o700)
        if server.user:
            shutil.chown(its, server.user)
        level_memory()
        restored = brest("restore", f"--pg1-path={its}", "--archive-mode=off")
        table.add("restore, recovered", "pgBackRest", restored.plus(recover_alone(server, its)))
        postgres_restore.delta_rows(table, ours.verbs, brest, lambda folder: recover_alone(server, folder), [mine, its])
        shutil.rmtree(its)
    finally:
        ours.end()
        shutil.rmtree(run)


def life_of_tenth(lifeboat, server, table, work, turn):
    """The same changes in a tenth of the database: what an incremental costs, and memory."""
    ours = Ours(lifeboat, server, os.path.join(work, f"tenth{turn}"))
    try:
        table.add("tenth: full backup", "lifeboat", ours.first)
        server.change_pages(0.02)
        table.add("tenth: incremental, same change", "lifeboat", *ours.backup("pages"))
    finally:
        ours.end()
        shutil.rmtree(ours.folder)


def run(lifeboat, work, size_mb, repeat):
    scale = max(10, size_mb // 15)
    server = Server(work, scale // 10)
    try:
        table = Table()
        measure(["pgbackrest", f"--config={server.config}", "--stanza=main", "stanza-create"], user=server.user, cwd="/")
        print(f"postgres: pgbench scale {scale}; pgBackRest encrypted with zstd 1 and 2 processes", flush=True)
        for turn in range(repeat):
            life_of_tenth(lifeboat, server, table, work, turn)
        server.fill(scale)
        for turn in range(repeat):
            life(lifeboat, server, table, work, turn, 0.002)
        measure_log(lifeboat, server, table, repeat)
        table.show()
        return table.all_figures(), postgres_bars.judge(table) + wal.judge(table)
    finally:
        server.stop()


def measure_log(lifeboat, server, table, repeat):
    """Ends with the server stopped, which is started again for who stops it."""
    with open(os.path.join(server.data, "postgresql.conf"), "a") as out:
        out.write("archive_command='/bin/false'\n")
    server.run("pg_ctl", "-D", server.data, "reload")

    def write():
        bench = [f"{POSTGRES}/pgbench", "-q", "postgres"]
        measure([*bench, "-i", "-s", "85"], server.env, "/", server.user)
        # Should loading not be enough.
        while sum(name.endswith(".ready") for name in server.waiting()) < wal.SEGMENTS + 1:
            measure([*bench[:1], "-c", "4", "-T", "5", "postgres"], server.env, "/", server.user)
    wal.run(lifeboat, server, os.path.join(server.work, "log"), table, repeat, write)
    server.run("pg_ctl", "-D", server.data, "-l", os.path.join(server.work, "br-log", "pg.log"), "-w", "start")
