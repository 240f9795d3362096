"""The bars of the repository engine, each a ratio to a peer of the same run or a limit, and the verdict."""


class Bar:
    def __init__(self, what, step, figure, most, peers=()):
        self.what, self.step, self.figure, self.most, self.peers = what, step, figure, most, peers


KEEPERS = ("restic", "borg")
BARS = [
    Bar("first backup, CPU : borg", "A first backup", "cpu", 0.45, ("borg",)),
    Bar("first backup, CPU : restic", "A first backup", "cpu", 0.30, ("restic",)),
    Bar("first backup, wall : better peer", "A first backup", "wall", 0.5, KEEPERS),
    Bar("unchanged, CPU : better peer", "A unchanged", "cpu", 0.2, KEEPERS),
    Bar("2 % changed, CPU : better peer", "A 2 % of files changed", "cpu", 0.25, KEEPERS),
    Bar("2 % changed, bytes : better peer", "A 2 % of files changed", "stored", 1.0, KEEPERS),
    Bar("verify, CPU : better peer", "A verify every byte", "cpu", 0.1, KEEPERS),
    Bar("restore, user CPU : restic", "A restore", "user", 0.25, ("restic",)),
    Bar("restore, wall : cp -a", "A restore", "wall", 1.1, ("cp -a",)),
    Bar("prune 2 of 3, CPU : restic", "A prune 2 of 3", "cpu", 0.15, ("restic",)),
    Bar("repository size : restic", "A first backup", "stored", 1.0, ("restic",)),
    Bar("B stored : restic", "B first backup", "stored", 0.7, ("restic",)),
    Bar("B first backup, CPU : better peer", "B first backup", "cpu", 0.3, KEEPERS),
]
MEMORY_MOST = 128  # MiB, any step
# Equal at ten times the data, but for what allocators keep: measured between runs on the same data.
MEMORY_GROWTH_MOST = 1.1
SHOWN = {"cpu": "{:.2f} s", "user": "{:.2f} s", "wall": "{:.2f} s", "stored": "{:.1f} MB"}


def shown(figure, value):
    return SHOWN[figure].format(value / 1e6 if figure == "stored" else value)


def line(what, ours, peers, ratio, bar, verdict):
    print(f"{what:<36}{ours:>11}  {peers:<36}{ratio:>8}{bar:>8}  {verdict}")


def judge_bar(bar, table):
    ours = table.figures(bar.step, "lifeboat")
    its = {peer: table.figures(bar.step, peer) for peer in bar.peers}
    peers = ", ".join(f"{peer} {shown(bar.figure, f[bar.figure])}" for peer, f in its.items() if f)
    if ours is None or not all(its.values()):
        line(bar.what, "-", peers, "-", f"{bar.most:.2f}", "NOT MEASURED")
        return False
    ratio = ours[bar.figure] / max(min(f[bar.figure] for f in its.values()), 1e-9)
    met = ratio <= bar.most
    line(bar.what, shown(bar.figure, ours[bar.figure]), peers, f"{ratio:.3f}", f"{bar.most:.2f}", "met" if met else "MISSED")
    return met


def judge_memory(table):
    peak = {}
    for step in table.rows:
        its = table.figures(step, "lifeboat")
        name = step.split(" ", 1)[1]
        if not its or name not in ("first backup", "unchanged", "verify every byte", "restore"):
            continue
        if step.startswith(("A ", "tenth ")):
            peak.setdefault(name, {})[step.split(" ")[0]] = its["rss"]
    met = True
    for name, of in peak.items():
        growth = of["A"] / of["tenth"]
        good = of["A"] <= MEMORY_MOST and growth <= MEMORY_GROWTH_MOST
        met = met and good
        line(f"memory, {name}", f"{of['A']:.0f} MiB", f"at a tenth of the data {of['tenth']:.0f} MiB", f"{growth:.2f}",
             f"{MEMORY_MOST}", "met" if good else "MISSED")
    return met


def judge(table):
    """Prints a line for each bar; returns how many were missed or not measured."""
    print()
    line("bar", "ours", "peers", "ratio", "bar", "")
    missed = sum(not judge_bar(bar, table) for bar in BARS) + (not judge_memory(table))
    print(f"{missed} of {len(BARS) + 1} bars missed" if missed else "every bar met")
    return missed
