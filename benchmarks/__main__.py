"""make bench: the product through its own doors against named things, in one run."""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import time

from benchmarks import bed, chat, group, growth, idle, ledger, processes, record, sync
from benchmarks.report import Report
from deploy.local.install import ROOT
from deploy.local.processes import Failed

PARTS = {
    "ledger": ledger.run,
    "action": ledger.action,
    "growth": growth.run,
    "pairs": chat.run,
    "servers": chat.run,
    "idle": idle.run,
    "connect": idle.connect,
    "group": group.run,
    "processes": processes.run,
    "sync": sync.run,
}
# The ledger's own run has the action in it; pairs has the servers that figures are made of.
EVERYTHING = [name for name in PARTS if name not in {"action", "servers"}]
TOGETHER = {"chat": ["pairs", "idle", "connect", "group", "processes", "sync"]}

PERFORMANCE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "var" / "bench.json"


def circumstances(name: str, chosen: argparse.Namespace) -> dict[str, str]:
    """How, when and where a part is measured, before it is."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    more = f" --servers {','.join(chosen.servers)}" if name == "servers" and chosen.servers else ""
    more += f" --postings {chosen.postings}" if name == "growth" else ""
    return {
        "command": f'make bench ARGS="{name} --rounds {chosen.rounds} --seconds {chosen.seconds:g}{more}"',
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()})",
        "load": f"{os.getloadavg()[0]:.1f}",
        "commit": commit or "unknown",
    }


def _named(parts: list[str]) -> list[str]:
    """What is to be measured, each once."""
    named = [one for part in parts or EVERYTHING for one in TOGETHER.get(part, [part])]
    return [one for one in dict.fromkeys(named) if one != "action" or "ledger" not in named]


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("parts", nargs="*", choices=[*PARTS, *TOGETHER, []], default=[])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--postings", type=int, default=10_000_000, help="the largest books of growth")
    options.add_argument("--servers", type=lambda text: text.split(","), help=f"of servers: {', '.join(chat.SERVERS)}")
    chosen = options.parse_args()
    if unknown := set(chosen.servers or ()) - set(chat.SERVERS):
        options.error(f"no such server: {', '.join(sorted(unknown))}")
    failed = False
    with bed.make() as made:
        bed.peer_packages(made.children, made.folder / "npm.log")
        for name in _named(chosen.parts):
            more = {"postings": chosen.postings} if name == "growth" else {}
            if name == "servers":
                more = {"servers": chosen.servers or list(chat.SERVERS)}
            began, report, about = time.monotonic(), Report(), circumstances(name, chosen)
            try:
                PARTS[name](made, report, rounds=chosen.rounds, seconds=chosen.seconds, **more)
                report.ratios()
                report.keep(FIGURES, name, about)
                record.keep(PERFORMANCE, name, record.sentence(about), report.tables)
            except Failed as failure:
                # The other parts are measured all the same.
                failed = True
                print(f"\n{name}: {failure}", file=sys.stderr)
            finally:
                made.end_all()
            report.say(f"{name}: {time.monotonic() - began:.0f} s")
    print(f"\nwritten to {FIGURES}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
