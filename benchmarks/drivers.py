"""Who drives what is measured: pgbench, or processes that begin together. Each says how much was done, and how fast."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bed import Bed
from benchmarks.books import environment
from deploy.local.install import ROOT
from deploy.local.processes import Failed

CLIENTS = 8
FIRST_S = 1
"""pgbench's connections are new: the first run of a statement on each reads the catalogue and makes a plan, which takes
some tens of milliseconds, one after the other. A server's connections have that behind them, so it is not counted."""


@dataclass(frozen=True)
class Run:
    """What all clients did: how much in all and each second, the p99 of all of it in milliseconds, and seconds of
    processor by who took them, where that was asked for.
    """

    done: int
    per_second: float
    p99_ms: float
    cpu_s: dict[str, float] = field(default_factory=dict)


def _p99(took: list[float]) -> float:
    took.sort()
    return took[int(len(took) * 0.99)]


def pgbench(bed: Bed, script: str, seconds: float, database: str, *, rate: float = 0, each: int = 1) -> Run:
    """So many clients with a script, once FIRST_S is over; `rate`: so many transactions a second, whatever the answers;
    `each`: so many transfers are in one.
    """
    counted_s = max(1, round(seconds))
    folder = bed.folder / "pgbench"
    folder.mkdir(exist_ok=True)
    (folder / "script.sql").write_text(script)
    for old in folder.glob("log.*"):
        old.unlink()
    url = environment(bed, database)["DATABASE_URL"]
    done = subprocess.run(
        [
            *(str(bed.cluster.binaries / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
            *("-T", str(FIRST_S + counted_s), "-f", "script.sql", "-l", "--log-prefix", "log"),
            *(["-R", str(max(1, round(rate)))] if rate else []),
            url,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"pgbench failed: {done.stderr[-2000:]}")
    # Its client, its number, how long it took, the script, and when it ended.
    lines = [line.split() for log in folder.glob("log.*") for line in log.read_text().splitlines()]
    ended = [(int(line[4]) + int(line[5]) / 1e6, int(line[2]) / 1000) for line in lines]
    counted_from = min(end for end, _ in ended) + FIRST_S
    took = [took_ms for end, took_ms in ended if counted_from <= end < counted_from + counted_s]
    return Run(len(took) * each, len(took) * each / counted_s, _p99(took))


def processes(
    command: Sequence[str | Path],
    env: dict[str, str],
    seconds: float,
    count: int = CLIENTS,
    cpu_s: Callable[[], dict[str, float]] = dict,
) -> Run:
    """So many processes of a command that begin together. `cpu_s` is asked before and after; what the processes took
    themselves is the "client".
    """
    workers = [
        subprocess.Popen(
            [*(str(word) for word in command), str(seed)],
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for seed in range(count)
    ]
    try:
        for worker in workers:
            assert worker.stdout
            if worker.stdout.readline().strip() != "ready":
                raise Failed(f"{command[1]} {command[2]} did not start")
        took: list[float] = []
        before, spent = cpu_s(), 0.0
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            out, _ = worker.communicate(timeout=seconds + 60)
            if worker.returncode != 0:
                raise Failed(f"{command[1]} {command[2]} failed")
            said = json.loads(out)
            took += said["took_ms"]
            spent += said.get("cpu_s", 0.0)
        after = cpu_s()
    finally:
        for worker in workers:
            worker.kill()
    cpu = {who: after[who] - before[who] for who in before} | {"client": spent}
    return Run(len(took), len(took) / seconds, _p99(took), cpu)
