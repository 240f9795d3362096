"""The suite `repo`: one repository of files, from the first backup to the prune, against the bars that the
engine is built to. Data A is a sample of /usr, data B is random data with its shifted and edited copies."""
import os
import shutil

import bars
from data import change_some, copies_of_random, hide_some, sample_of_system, show_again
from measuring import Table
from tools import Borg, Copy, Lifeboat, Restic, SyncedCopy, Tar, differences


def step(table, name, tools, act, stored=lambda tool: None):
    for tool in tools:
        measured = act(tool)
        if measured is None:
            print(f"{name}: {tool.name} has no such command yet")
            continue
        table.add(name, tool.name, measured, stored(tool))


def out_of(tool, folder, turn=1):
    return os.path.join(folder, f"out-{turn}-" + "".join(c for c in tool.name if c.isalnum()))


def check_restore(tool, out, data):
    """A restore that is not equal ends the run: its speed would mean nothing."""
    different = differences(data, tool.restored(out, data))
    if different and tool.name == "lifeboat":
        raise SystemExit(f"bench: our restore differs from the source:\n{different}")
    if different:
        print(f"restore: that of {tool.name} differs from the source: {different.splitlines()[0]}")


def restore_all(table, tools, folder, data, step_name, again=()):
    """Those of `again` have a second turn, the other way around: on a virtual machine whoever comes first
    after much was freed pays for memory that has to come back from the host."""
    turns = [(tool, out_of(tool, folder)) for tool in tools]
    turns += [(tool, out_of(tool, folder, 2)) for tool in reversed(again)]
    # Removed only at the end: creating files right after many were removed is slow on ext4, and would be
    # charged to whoever comes next.
    for tool, out in turns:
        table.add(step_name, tool.name, tool.restore(out))
    for tool, out in turns:
        check_restore(tool, out, data)
        shutil.rmtree(out)


def life_of_a(table, lifeboat, folder, data, seed):
    ours, restic, borg = Lifeboat(lifeboat, folder, data), Restic(folder, data), Borg(folder, data)
    keepers, tar = [ours, restic, borg], Tar(folder, data)
    before = {}

    def added(tool):
        last, before[tool.name] = before.get(tool.name, 0), tool.stored()
        return before[tool.name] - last

    for tool in keepers:
        tool.init()
    step(table, "A first backup", [*keepers, tar], lambda tool: tool.backup(), added)
    step(table, "A unchanged", keepers, lambda tool: tool.backup(), added)
    copies = [Copy(data), SyncedCopy(data)]
    restore_all(table, [ours, restic, borg, tar, *copies], folder, data, "A restore", [ours, *copies])
    change_some(data, 0.02, seed)
    step(table, "A 2 % of files changed", keepers, lambda tool: tool.backup(), added)
    step(table, "A verify every byte", keepers, lambda tool: tool.verify())
    step(table, "A prune 2 of 3", keepers, lambda tool: tool.prune(), lambda tool: tool.stored())
    # Then most of what the packs hold is of no use, and little of it lies in packs of its own.
    hidden = hide_some(data, 0.7, seed)
    step(table, "A 70 % of files gone", keepers, lambda tool: tool.backup(), added)
    step(table, "A repack", keepers, lambda tool: tool.repack(), lambda tool: tool.stored())
    restore_all(table, [ours, restic, borg], folder, data, "A restore of 30 %")
    show_again(hidden)


def life_of_b(table, lifeboat, folder, data):
    ours, restic, borg = Lifeboat(lifeboat, folder, data), Restic(folder, data), Borg(folder, data)
    tools = [ours, restic, borg]
    for tool in tools:
        tool.init()
    step(table, "B first backup", tools, lambda tool: tool.backup(), lambda tool: tool.stored())
    step(table, "B verify every byte", tools, lambda tool: tool.verify())
    restore_all(table, tools, folder, data, "B restore")


def life_of_tenth(table, lifeboat, folder, data):
    """The same steps on a tenth of the data: whether memory grows with it."""
    ours = Lifeboat(lifeboat, folder, data)
    ours.init()
    step(table, "tenth first backup", [ours], lambda tool: tool.backup())
    step(table, "tenth unchanged", [ours], lambda tool: tool.backup())
    step(table, "tenth verify every byte", [ours], lambda tool: tool.verify())
    restore_all(table, [ours], folder, data, "tenth restore")


def run(lifeboat, work, size_mb, repeat):
    """Returns the figures and the number of bars that were missed."""
    os.environ["GOMAXPROCS"] = str(os.cpu_count())
    places = {name: os.path.join(work, name) for name in ("a", "b", "tenth")}
    made = {"a": sample_of_system(places["a"], size_mb * 10**6),
            "b": copies_of_random(places["b"], size_mb * 10**6 // 2),
            "tenth": sample_of_system(places["tenth"], size_mb * 10**5)}
    for name, (size, count) in made.items():
        print(f"data {name}: {size / 1e6:.0f} MB in {count} files")
    print("lifeboat and borg with zstd 1, restic with its fastest level, all encrypted; caches warm", flush=True)
    table = Table()
    for turn in range(repeat):
        for name, life in (("a", life_of_a), ("b", life_of_b), ("tenth", life_of_tenth)):
            folder = os.path.join(work, f"run-{name}-{turn}")
            os.mkdir(folder)
            life(table, lifeboat, folder, places[name], *([turn] if name == "a" else []))
            shutil.rmtree(folder)
    table.show()
    return table.all_figures(), bars.judge(table)
