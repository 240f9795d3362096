#!/usr/bin/env python3
"""The judge of the benchmark: a bar that is missed or was not measured must say so, never pass."""
import contextlib
import io
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
import bars  # noqa: E402
import data  # noqa: E402
from measuring import Measured, Table, measure  # noqa: E402
from tools import differences  # noqa: E402


def table(ours, peers, memory=(100, 100), steps=None):
    """Every step that a bar names; `ours` and `peers` in seconds of user CPU and in bytes."""
    out = Table()
    for step in steps or sorted({bar.step for bar in bars.BARS}):
        out.add(step, "lifeboat", Measured(ours, ours, 0, memory[1]), ours)
        for peer in ("restic", "borg", "cp -a"):
            out.add(step, peer, Measured(peers, peers, 0, 500), peers)
    for name in ("first backup", "unchanged", "verify every byte", "restore"):
        out.add(f"tenth {name}", "lifeboat", Measured(1, 1, 0, memory[0]))
    return out


def missed(*words, **named):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        count = bars.judge(table(*words, **named))
    return count, said.getvalue()


def expect(condition, what):
    if not condition:
        raise SystemExit(f"bench_test: {what}")


def check_bars():
    every = len(bars.BARS) + 1
    expect(missed(1, 100)[0] == 0, "a hundredth of the peers' cost meets every bar")
    expect(missed(200, 100)[0] == every - 1, "twice the peers' cost misses every bar but that of memory")
    expect(missed(1, 100, memory=(100, 120))[0] == 1, "memory that grows with the data is missed")
    expect(missed(1, 100, memory=(140, 140))[0] == 1, "memory above the limit is missed")
    count, said = missed(1, 100, steps=["A first backup", "A unchanged", "A restore", "A verify every byte"])
    expect("NOT MEASURED" in said and count == sum("NOT MEASURED" in line for line in said.splitlines()),
           "a step that was not measured counts as missed")


def check_measuring():
    burnt = measure([sys.executable, "-c", "sum(range(3_000_000)); x = bytearray(200 << 20)"])
    expect(burnt.user > 0.01 and burnt.rss > 180, "CPU and memory of a child are seen")
    try:
        measure(["false"])
    except SystemExit:
        return
    raise SystemExit("bench_test: a command that fails must end the run")


def check_data():
    with tempfile.TemporaryDirectory() as work:
        first, second = os.path.join(work, "1"), os.path.join(work, "2")
        made = [data.sample_of_system(folder, 2 * 10**6, "/usr/include") for folder in (first, second)]
        expect(made[0] == made[1] and made[0][1] > 10 and made[0][0] >= 2 * 10**6, "the sample is the same every time")
        for folder in (first, second):
            os.utime(folder, (1, 1))
        expect(not differences(first, second), "equal folders show no difference")
        data.change_some(second, 0.5, 1)
        expect(differences(first, second), "changed content is seen")
        file = next(data.real_files(first))
        third = os.path.join(work, "3")
        data.sample_of_system(third, 2 * 10**6, "/usr/include")
        os.utime(third, (1, 1))
        os.utime(file, (1, 1), follow_symlinks=False)
        expect(differences(first, third), "a changed time is seen")
        total, count = data.copies_of_random(os.path.join(work, "b"), 3 * 10**6)
        expect(count == 189 and abs(total - 3 * 10**6) < 4 * 10**5, "data B has its size")


check_bars()
check_measuring()
check_data()
