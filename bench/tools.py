"""The tools under measurement, all with the same steps. Each has a folder of its own below `folder`."""
import os
import subprocess

from measuring import measure, our_points, our_verbs, stored_bytes


class Lifeboat:
    name = "lifeboat"

    def __init__(self, program, folder, data):
        self.program, self.folder = program, folder
        self.verbs = our_verbs(program, folder, f"  data: {{files: {data}, every: daily 02:00}}\n",
                               repository="at: ./repository, key: env:LIFEBOAT_KEY, retain: {daily: 7d}")

    def init(self):
        self.verbs("init")

    def backup(self):
        return self.verbs("backup")

    def verify(self):
        return self.verbs("verify")

    def restore(self, target):
        return self.verbs("restore", "data", "--to", target)

    def prune(self):
        """None while the program has no such verb."""
        known = subprocess.run([self.program, "prune", "--help"], capture_output=True).returncode == 0
        if not known:
            return None
        measured = self.verbs("prune", "--confirm", "bench")
        left = our_points(self.program, self.folder)
        if left != 1:
            raise SystemExit(f"bench: our prune left {left} points instead of one")
        return measured

    def repack(self):
        return self.verbs("prune", "--confirm", "bench", "--repack-budget", "100%")

    def stored(self):
        return stored_bytes(os.path.join(self.folder, "repository"))

    def restored(self, target, data):
        return target


class Restic:
    name = "restic"

    def __init__(self, folder, data):
        self.folder, self.data = folder, data
        self.env = {"RESTIC_PASSWORD": "x", "RESTIC_REPOSITORY": os.path.join(folder, "restic"),
                    "RESTIC_CACHE_DIR": os.path.join(folder, "restic-cache")}

    def run(self, *words):
        return measure(["restic", "--quiet", *words], self.env)

    def init(self):
        self.run("init")

    def backup(self):
        return self.run("backup", self.data)

    def verify(self):
        return self.run("check", "--read-data")

    def restore(self, target):
        return self.run("restore", "latest", "--target", target)

    def prune(self):
        return self.run("forget", "--keep-last", "1", "--prune")

    def repack(self):
        return self.prune()

    def stored(self):
        return stored_bytes(os.path.join(self.folder, "restic"))

    def restored(self, target, data):
        return target + data


class Borg:
    name = "borg"

    def __init__(self, folder, data):
        self.folder, self.data, self.number = folder, data, 0
        self.repository = os.path.join(folder, "borg")
        self.env = {"BORG_PASSPHRASE": "x", "BORG_REPO": self.repository, "BORG_EXIT_CODES": "legacy",
                    "BORG_BASE_DIR": os.path.join(folder, "borg-base")}

    def run(self, *words, cwd=None):
        return measure(["borg", *words], self.env, cwd)

    def init(self):
        subprocess.run(["borg", "init", "--encryption=repokey-blake2"], env={**os.environ, **self.env}, check=True,
                       capture_output=True)

    def backup(self):
        self.number += 1
        return self.run("create", "--compression=zstd,1", f"::{self.number}", self.data)

    def verify(self):
        return self.run("check", "--verify-data")

    def restore(self, target):
        os.mkdir(target)
        return self.run("extract", f"::{self.number}", cwd=target)

    def prune(self):
        return self.run("prune", "--keep-last", "1").plus(self.run("compact"))

    def repack(self):
        return self.prune()

    def stored(self):
        return stored_bytes(self.repository)

    def restored(self, target, data):
        return target + data


class Tar:
    """The naive floor: no deduplication, no index, no check."""
    name = "tar|zstd|openssl"
    cipher = "openssl enc -aes-256-ctr -pbkdf2 -pass pass:x"

    def __init__(self, folder, data):
        self.archive, self.data = os.path.join(folder, "archive"), data

    def backup(self):
        return measure(["bash", "-o", "pipefail", "-c",
                        f"tar -C / -cf - '.{self.data}' | zstd -q -1 | {self.cipher} > '{self.archive}'"])

    def restore(self, target):
        os.mkdir(target)
        return measure(["bash", "-o", "pipefail", "-c",
                        f"{self.cipher} -d < '{self.archive}' | zstd -q -d | tar -C '{target}' -xpf -"])

    def stored(self):
        return stored_bytes(self.archive)

    def restored(self, target, data):
        return target + data


class Copy:
    name = "cp -a"

    def __init__(self, data):
        self.data = data

    def restore(self, target):
        return measure(["cp", "-a", self.data, target])

    def restored(self, target, data):
        return target


class SyncedCopy(Copy):
    """What a copy costs that is as durable as our restore when it ends."""
    name = "cp -a, synced"

    def restore(self, target):
        return measure(["bash", "-c", f"cp -a '{self.data}' '{target}' && sync -f '{target}'"])


def differences(data, restored):
    """What a tool that is not ours sees: names, kinds, content, then modes, owners, times and xattrs."""
    content = subprocess.run(["diff", "-rq", "--no-dereference", data, restored], capture_output=True,
                             text=True, errors="replace")
    if content.returncode != 0:
        return content.stdout[:2000] + content.stderr[:2000]
    attributes = subprocess.run(["rsync", "-naHAXi", "--delete", data + "/", restored + "/"],
                                capture_output=True, text=True, errors="replace")
    return attributes.stdout[:2000] + attributes.stderr[:2000]
