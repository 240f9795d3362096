"""The suite `postgres`: physical backups of a throwaway server, against pgBackRest and pg_basebackup."""
import os
import resource
import shutil
import socket
import subprocess
import time

import postgres_restore
from measuring import Measured, Table, allocated_bytes, measure, our_verbs

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
        measure([f"{POSTGRES}/pgbench", "-i", "-q", "-s", str(scale), "postgres"], self.env, "/", self.user)

    def run(self, tool, *words):
        measure([f"{POSTGRES}/{tool}", *words], user=self.user, cwd="/")

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


def run(lifeboat, work, size_mb, repeat):
    server = Server(work, max(1, size_mb // 15))
    try:
        table = Table()
        brest = lambda *words: measure(["pgbackrest", f"--config={server.config}", "--stanza=main", *words],
                                       user=server.user, cwd="/")
        brest("stanza-create")
        print(f"postgres: pgbench, about {size_mb} MB; pgBackRest encrypted with zstd 1 and 2 processes")
        for turn in range(repeat):
            run = os.path.join(work, f"run{turn}")
            os.mkdir(run)
            address = f"host={work}/socket port={server.port} user=postgres dbname=postgres"
            ours = our_verbs(lifeboat, run, f"  db: {{postgres: \"{address}\", every: daily 02:00}}\n")
            ours("init")
            table.add("full backup", "lifeboat", ours("backup"), allocated_bytes(os.path.join(run, "repository")))
            before = allocated_bytes(f"{work}/br")
            table.add("full backup", "pgBackRest", brest("backup", "--type=full"), allocated_bytes(f"{work}/br") - before)
            plain = os.path.join(run, "base")
            table.add("full backup", "pg_basebackup",
                      measure([f"{POSTGRES}/pg_basebackup", "-D", plain, "-c", "fast", "-X", "stream"], server.env),
                      allocated_bytes(plain))
            table.add("unchanged", "lifeboat", ours("backup"))
            table.add("unchanged", "pgBackRest", brest("backup", "--type=incr"))
            table.add("restore, recovered", "lifeboat", ours("restore", "db", "--to", os.path.join(run, "ours")))
            target = os.path.join(work, f"restored{turn}")
            os.mkdir(target, 0o700)
            if server.user:
                shutil.chown(target, server.user)
            restored = brest("restore", f"--pg1-path={target}", "--archive-mode=off")
            recover = recover_alone(server, target)
            table.add("restore, recovered", "pgBackRest", restored.plus(recover))
            table.add("restore, recovered", "cp -a, not recovered", measure(["cp", "-a", plain, os.path.join(run, "cp")]))
            postgres_restore.delta_rows(table, ours, brest, lambda folder: recover_alone(server, folder),
                                        [os.path.join(run, "ours"), target])
            shutil.rmtree(run)
            shutil.rmtree(target)
        table.show()
        return table.all_figures(), 0
    finally:
        server.stop()
