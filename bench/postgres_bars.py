"""The bars of the PostgreSQL store: ratios to a peer of the same run, and limits."""
from bars import Bar, judge_bar, line

PEER = ("pgBackRest",)
BARS = [
    Bar("full backup, wall : pgBackRest", "full backup", "wall", 0.9, PEER),
    Bar("full backup, CPU : pgBackRest", "full backup", "cpu", 0.9, PEER),
    Bar("full backup, wall : cp -a, flushed", "full backup", "wall", 3.0, ("cp -a, flushed",)),
    Bar("incremental 2 %, wall : pgBackRest", "incremental, 2 %", "wall", 0.6, PEER),
    Bar("incremental 2 %, CPU : pgBackRest", "incremental, 2 %", "cpu", 0.45, PEER),
    Bar("restore, wall : pgBackRest", "restore, recovered", "wall", 0.8, PEER),
    Bar("delta, 2 % spoiled : pgBackRest", "delta, 2 % spoiled", "wall", 0.7, PEER),
]
MEMORY_MOST = 64  # MiB, of a backup
MEMORY_GROWTH_MOST = 1.1
GROWTH_MOST = 1.5  # of an incremental of the same change in ten times the database


def judge_limit(what, value, most, unit):
    met = value is not None and value <= most
    shown = "-" if value is None else f"{value:.2f} {unit}"
    line(what, shown, "", "", f"{most:g}", "met" if met else "MISSED")
    return met


def of(table, step, figure):
    its = table.figures(step, "lifeboat")
    return its[figure] if its and its[figure] is not None else None


def judge(table):
    """Prints a line for each bar; returns how many were missed or not measured."""
    print()
    line("bar", "ours", "peers", "ratio", "bar", "")
    verdicts = [judge_bar(bar, table) for bar in BARS]
    mega = lambda step: of(table, step, "stored") / 1e6
    verdicts.append(judge_limit("incremental 2 %, bytes", mega("incremental, 2 %"), 3, "MB"))
    verdicts.append(judge_limit("incremental empty, bytes", mega("incremental, empty"), 0.05, "MB"))
    verdicts.append(judge_limit("incremental empty, wall", of(table, "incremental, empty", "wall"), 0.7, "s"))
    growth = of(table, "incremental, same change", "wall") / of(table, "tenth: incremental, same change", "wall")
    verdicts.append(judge_limit("10 x the database, same change, wall", growth, GROWTH_MOST, "x"))
    peak = max(of(table, step, "rss") for step in ("full backup", "incremental, 2 %"))
    verdicts.append(judge_limit("memory of a backup", peak, MEMORY_MOST, "MiB"))
    growth = of(table, "full backup", "rss") / of(table, "tenth: full backup", "rss")
    verdicts.append(judge_limit("memory at 10 x the database", growth, MEMORY_GROWTH_MOST, "x"))
    missed = verdicts.count(False)
    print(f"{missed} of {len(verdicts)} bars missed" if missed else "every bar met")
    return missed
