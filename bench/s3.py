"""The s3 suite of bench/run: lifeboat on a throwaway Ceph against plain parallel requests of the same bytes."""
import datetime
import hashlib
import hmac
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time
import urllib.parse
import uuid

from data import sample_of_system
from measuring import Table, measure

KEY, SECRET = "bench", "bench-secret"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Loopback:
    """Clients beside the service: both share the processors, nothing else limits them."""

    name, service_host, command = "loopback", "127.0.0.1", ()

    def close(self):
        pass


class Link:
    """Clients in a network namespace of their own, behind a link of 1 Gbit/s. Needs root."""

    name, service_host, client_host = "a link of 1 Gbit/s", "10.213.77.1", "10.213.77.2"

    def __init__(self):
        self.space, here, there = f"lifeboat{os.getpid()}", f"lb{os.getpid()}a", f"lb{os.getpid()}b"
        self.command = ("ip", "netns", "exec", self.space)
        shape = ("root", "tbf", "rate", "1gbit", "burst", "256kb", "latency", "50ms")
        steps = (
            ("ip", "netns", "add", self.space),
            ("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", self.space),
            ("ip", "addr", "add", f"{self.service_host}/30", "dev", here),
            ("ip", "link", "set", here, "up"),
            ("tc", "qdisc", "add", "dev", here, *shape),
            (*self.command, "ip", "addr", "add", f"{self.client_host}/30", "dev", there),
            (*self.command, "ip", "link", "set", there, "up"),
            (*self.command, "tc", "qdisc", "add", "dev", there, *shape),
        )
        for words in steps:
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                self.close()
                raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.space], capture_output=True)


class Ceph:
    """One monitor, one store in memory, one gateway, on loopback; gone with this process."""

    def __init__(self, work, memory_bytes, way):
        self.way = way
        self.home = os.path.join(work, "ceph")
        self.port, monitor = free_port(), f"[v2:127.0.0.1:{free_port()},v1:127.0.0.1:{free_port()}]"
        self.daemons = []
        for name in ("mon", "osd", "rgw", "log", "run"):
            os.makedirs(os.path.join(self.home, name))
        fsid, self.conf = str(uuid.uuid4()), os.path.join(self.home, "ceph.conf")
        settings = {
            "fsid": fsid, "mon host": monitor, "mon initial members": "a", "public addr": "127.0.0.1",
            "cluster addr": "127.0.0.1", "ms bind ipv6": "false", "auth cluster required": "cephx",
            "auth service required": "cephx", "auth client required": "cephx",
            "auth allow insecure global id reclaim": "false", "keyring": f"{self.home}/keyring",
            "run dir": f"{self.home}/run", "log file": f"{self.home}/log/$name.log", "pid file": "",
            "admin socket": f"{self.home}/run/$name", "mon data": f"{self.home}/mon", "osd data": f"{self.home}/osd",
            "osd objectstore": "memstore", "memstore device bytes": memory_bytes, "osd pool default size": 1,
            "osd pool default min size": 1, "osd crush chooseleaf type": 0, "osd pool default pg num": 8,
            "osd pool default pgp num": 8, "osd pool default pg autoscale mode": "off", "mon max pg per osd": 2000,
            "mon allow pool size one": "true", "mon data avail warn": 1, "mon data avail crit": 1,
            "rgw data": f"{self.home}/rgw", "rgw frontends": f"beast endpoint={way.service_host}:{self.port}",
            "rgw enable ops log": "false", "rgw enable usage log": "false",
        }
        with open(self.conf, "w") as out:
            out.write("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        ring, full = f"{self.home}/keyring", "allow *"
        self.run("ceph-authtool", ring, "--create-keyring", "--gen-key", "-n", "mon.", "--cap", "mon", full)
        for name, caps in (("client.admin", (full, full)), ("client.rgw", ("allow rwx", "allow rwx")),
                           ("osd.0", ("allow profile osd", full))):
            self.run("ceph-authtool", ring, "--gen-key", "-n", name, "--cap", "mon", caps[0], "--cap", "osd", caps[1])
        self.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, f"{self.home}/monmap")
        self.run("ceph-mon", "-c", self.conf, "--mkfs", "-i", "a", "--monmap", f"{self.home}/monmap", "--keyring", ring)
        self.start("ceph-mon", "-f", "-c", self.conf, "-i", "a")
        osd = str(uuid.uuid4())
        self.run("ceph", "-c", self.conf, "osd", "new", osd)
        self.run("ceph-osd", "-c", self.conf, "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.start("ceph-osd", "-f", "-c", self.conf, "-i", "0")
        while "1 up" not in self.run("ceph", "-c", self.conf, "osd", "stat"):
            time.sleep(0.2)
        self.run("radosgw-admin", "-c", self.conf, "-n", "client.rgw", "user", "create", "--uid=bench",
                 "--display-name=bench", f"--access-key={KEY}", f"--secret-key={SECRET}")
        self.start("radosgw", "-f", "-c", self.conf, "-n", "client.rgw")
        while subprocess.run(["curl", "-s", "-o", "/dev/null", self.endpoint()]).returncode != 0:
            time.sleep(0.1)

    def endpoint(self):
        return f"http://{self.way.service_host}:{self.port}"

    def run(self, *words):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(words)}: {done.stderr}")
        return done.stdout

    def start(self, *words):
        log = open(f"{self.home}/log/started", "ab")
        self.daemons.append(subprocess.Popen(words, stdout=log, stderr=log, preexec_fn=die_with_parent))

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.kill()
            daemon.wait()

    def cpu(self):
        """CPU seconds the service has used so far: on one machine they are missing to its clients."""
        ticks = 0
        for daemon in self.daemons:
            with open(f"/proc/{daemon.pid}/stat") as stat:
                ticks += sum(int(word) for word in stat.read().rsplit(")", 1)[1].split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


def presigned(method, endpoint, path):
    """An address that carries its own signature, so that any plain client may use it for an hour."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    query = urllib.parse.urlencode({"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{KEY}/{scope}",
                                    "X-Amz-Date": now, "X-Amz-Expires": "3600", "X-Amz-SignedHeaders": "host"})
    host = endpoint.split("://")[1]
    canonical = f"{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + SECRET.encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return f"{endpoint}{path}?{query}&X-Amz-Signature={key.hex()}"


def curl_all(way, folder, transfers, then_sync=None):
    """All transfers by one curl, four at a time. transfers: lines of its configuration each. then_sync: a folder
    that is to be as durable at the end as what we restore."""
    config = os.path.join(folder, "curl.conf")
    with open(config, "w") as out:
        for index, lines in enumerate(transfers):
            out.write("next\n" if index else "")
            out.write("".join(f"{line}\n" for line in ("silent", "fail", *lines)))
    curl = [*way.command, "curl", "--parallel", "--parallel-max", "4", "--no-progress-meter", "--config", config]
    if then_sync is None:
        return measure(curl)
    return measure(["bash", "-c", '"${@:2}" && sync -f "$1"', "-", then_sync, *curl])


def pack_files(repository):
    return sorted(os.path.join(base, name)
                  for base, _, names in os.walk(os.path.join(repository, "p")) for name in names)


def one_turn(lifeboat, table, served, ceph, data, run, bucket):
    def verbs(name, at):
        plan = os.path.join(run, f"{name}.yaml")
        with open(plan, "w") as out:
            out.write(f"version: 1\nsystem: bench\nrepository: {{at: \"{at}\", key: env:LIFEBOAT_KEY}}\n"
                      f"stores:\n  data: {{files: {data}, every: hourly}}\n")
        env = {"LIFEBOAT_KEY": "bench-passphrase-1", "LIFEBOAT_STATE": os.path.join(run, f"state-{name}"),
               "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": ceph.endpoint()}
        return lambda *words: measure([*ceph.way.command, lifeboat, "--plan", plan, "--quiet", *words], env)

    def timed(step, tool, act):
        before = ceph.cpu()
        table.add(step, tool, act(), stored)
        served.setdefault((step, tool), []).append(ceph.cpu() - before)

    plain = lambda method, index: presigned(method, ceph.endpoint(), f"/{bucket}/plain/{index}")
    local, ours = verbs("local", f"{run}/local"), verbs("s3", f"s3://{bucket}/ours")
    local("init")
    local("backup")
    packs = pack_files(f"{run}/local")
    stored = sum(os.path.getsize(pack) for pack in packs)
    ours("init")
    timed("backup", "lifeboat", lambda: ours("backup"))
    timed("backup", "4 x plain PUT", lambda: curl_all(ceph.way, run, (
        [f'upload-file = "{pack}"', f'url = "{plain("PUT", index)}"'] for index, pack in enumerate(packs))))
    timed("restore", "lifeboat", lambda: ours("restore", "data", "--to", f"{run}/out"))

    def get_all(into, then_sync=None):
        os.mkdir(into)
        return curl_all(ceph.way, run, ([f'url = "{plain("GET", index)}"', f'output = "{into}/{index}"']
                                        for index in range(len(packs))), then_sync)

    timed("restore", "4 x plain GET, synced", lambda: get_all(f"{run}/synced", f"{run}/synced"))
    timed("restore", "4 x plain GET", lambda: get_all(f"{run}/got"))
    if subprocess.run(["diff", "-r", "--no-dereference", data, f"{run}/out"], capture_output=True).returncode != 0:
        raise SystemExit("bench: our restore differs from the source")


def make_data(kind, folder, size_mb):
    os.mkdir(folder)
    if kind == "mixed files":
        sample_of_system(folder, size_mb << 20)
        return
    for index in range(max(1, size_mb // 32)):
        with open(os.path.join(folder, str(index)), "wb") as out:
            out.write(os.urandom(32 << 20))


def measure_way(lifeboat, work, data, size_mb, repeat, way):
    table, served = Table(), {}
    for turn in range(repeat):
        folder = os.path.join(work, f"run{turn}")
        os.mkdir(folder)
        ceph = Ceph(folder, 8 * (size_mb << 20) + (1 << 30), way)
        try:
            bucket = f"bench{turn}"
            measure(["curl", "--silent", "--fail", "-X", "PUT", presigned("PUT", ceph.endpoint(), f"/{bucket}")])
            one_turn(lifeboat, table, served, ceph, data, folder, bucket)
        finally:
            ceph.stop()
        shutil.rmtree(folder)
    table.show()
    print(f"\n{'CPU s of the service':<24}" + ", ".join(
        f"{step} by {tool} {statistics.median(values):.2f}" for (step, tool), values in served.items()))
    return table.all_figures()


def run(lifeboat, work, size_mb, repeat):
    figures = {}
    for kind in ("mixed files", "noise"):
        data = os.path.join(work, kind.split()[0])
        make_data(kind, data, size_mb)
        for make_way in (Loopback, Link) if kind == "noise" else (Loopback,):
            try:
                way = make_way()
            except OSError as trouble:
                print(f"\ns3: {make_way.name}: skipped: {trouble}")
                continue
            print(f"\ns3: {size_mb} MB of {kind} over {way.name}; Ceph in memory, on the same machine; "
                  "CPU in the table is the client's alone")
            try:
                figures[f"{kind}, {way.name}"] = measure_way(lifeboat, work, data, size_mb, repeat, way)
            finally:
                way.close()
    return figures, 0
