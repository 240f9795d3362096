"""What every suite needs: what a command used, what lies in a folder, a table with ratios."""
import json
import os
import pwd
import statistics
import subprocess
import sys
import time


class Measured:
    """What one command and all its waited-for children used. Memory in MiB."""

    def __init__(self, wall, user, system, rss):
        self.wall, self.user, self.system, self.rss = wall, user, system, rss
        self.cpu = user + system

    def plus(self, other):
        return Measured(self.wall + other.wall, self.user + other.user, self.system + other.system,
                        max(self.rss, other.rss))


def measure(argv, env=None, cwd=None, user=None, good=(0,), input_path="/dev/null"):
    """Runs a command; anything but a code of `good` ends the run."""
    # What earlier steps left to write back is not this one's.
    os.sync()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            if cwd:
                os.chdir(cwd)
            if user:
                entry = pwd.getpwnam(user)
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)
            os.dup2(os.open(input_path, os.O_RDONLY), 0)
            os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
            os.execvpe(argv[0], argv, {**os.environ, **(env or {})})
        except OSError as trouble:
            print(f"{argv[0]}: {trouble}", file=sys.stderr)
        os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in good:
        raise SystemExit(f"bench: {' '.join(argv)} ended with {code}")
    return Measured(time.monotonic() - started, usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024)


def level_memory(mb=1200):
    """Before a step that writes much into new memory. A virtual machine asks its host for memory that was free for
    long, at ten times the cost: whichever tool came first would pay for the others, who use it again."""
    subprocess.run([sys.executable, "-c", f"b'x' * ({mb} << 20)"], check=True)


def allocated_bytes(path):
    return sum(os.lstat(os.path.join(folder, name)).st_blocks * 512
               for folder, _, names in os.walk(path) for name in names)


def stored_bytes(path):
    """The bytes of all files, or of one."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.lstat(os.path.join(folder, name)).st_size
               for folder, _, names in os.walk(path) for name in names)


class Table:
    """Figures by step and tool: wall is the best of the repetitions (the quietest moment), CPU and bytes
    are medians, memory is the most."""

    def __init__(self):
        self.rows = {}

    def add(self, step, tool, measured, stored=None):
        self.rows.setdefault(step, {}).setdefault(tool, []).append((measured, stored))

    def figures(self, step, tool):
        samples = self.rows.get(step, {}).get(tool)
        if not samples:
            return None
        stored = [size for _, size in samples if size is not None]
        return {
            "wall": min(m.wall for m, _ in samples),
            "cpu": statistics.median(m.cpu for m, _ in samples),
            "user": statistics.median(m.user for m, _ in samples),
            "system": statistics.median(m.system for m, _ in samples),
            "rss": max(m.rss for m, _ in samples),
            "stored": statistics.median(stored) if stored else None,
        }

    def all_figures(self):
        return {step: {tool: self.figures(step, tool) for tool in tools} for step, tools in self.rows.items()}

    def show(self):
        print(f"\n{'step':<26}{'tool':<22}{'wall s':>8}{'CPU s':>8}{'user':>8}{'sys':>7}{'MiB':>7}{'MB':>10}"
              f"{'wall ratio':>12}{'CPU ratio':>11}")
        for step, tools in self.rows.items():
            ours = self.figures(step, "lifeboat")
            for tool in tools:
                its = self.figures(step, tool)
                line = f"{step:<26}{tool:<22}{its['wall']:>8.2f}{its['cpu']:>8.2f}{its['user']:>8.2f}"
                line += f"{its['system']:>7.2f}{its['rss']:>7.0f}"
                line += f"{its['stored'] / 1e6:>10.1f}" if its["stored"] is not None else f"{'':>10}"
                if ours and tool != "lifeboat":
                    line += f"{ours['wall'] / max(its['wall'], 1e-9):>12.2f}{ours['cpu'] / max(its['cpu'], 1e-9):>11.2f}"
                print(line)


def write_plan(folder, stores, repository="at: ./repository, key: env:LIFEBOAT_KEY"):
    path = os.path.join(folder, "lifeboat.yaml")
    with open(path, "w") as out:
        out.write(f"version: 1\nsystem: bench\nrepository: {{{repository}}}\nstores:\n{stores}")
    return path


def our_env(folder):
    return {"LIFEBOAT_KEY": "bench-passphrase-1", "LIFEBOAT_STATE": os.path.join(folder, "state")}


def our_verbs(lifeboat, folder, stores, **more):
    plan = write_plan(folder, stores, **more)
    return lambda *words: measure([lifeboat, "--plan", plan, "--quiet", *words], our_env(folder))


def our_points(lifeboat, folder):
    """How many points the plan that our_verbs() wrote there has."""
    plan = os.path.join(folder, "lifeboat.yaml")
    listed = subprocess.run([lifeboat, "--plan", plan, "ls", "--json"], env={**os.environ, **our_env(folder)},
                            check=True, capture_output=True)
    return len(json.loads(listed.stdout.splitlines()[-1])["points"])
