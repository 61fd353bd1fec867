"""The ledger against its floor: one plpgsql function with the same guards, driven by pgbench in the same run."""

import json
import os
import shutil
from statistics import median

from benchmarks import books, served
from benchmarks.bed import PEERS, Bed
from benchmarks.books import environment
from benchmarks.drivers import CLIENTS, Run, pgbench, processes
from benchmarks.report import Figure, Report
from benchmarks.scripts import ACCOUNTS, BATCH, BATCHES, SINGLE
from benchmarks.served import Served
from deploy.local import install
from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import APP
from deploy.local.processes import Failed

CORES = max(2, os.cpu_count() or 2)
PROCESSES = {"action": CORES, "action_double": 2 * CORES, "action_clients": CLIENTS}
"""So many processes do whole actions, by how it is named: which number serves best is the machine's affair."""
WARM_S = 3.0
FUNDS_FEN = 100_000_000
HORDAK_ACCOUNTS, HORDAK_FUNDS = ACCOUNTS // 10, 1_000_000
DATABASE, HORDAK = "ledger", "hordak"
ACTION = "benchmarks.transfers"
Found = dict[str, list[Run]]

TITLES = {
    "floor": "the floor: one function, by pgbench",
    "function": "the ledger's function, by pgbench",
    "half": "the same at half that rate",
    "hot": "the same, every transfer to one of the bank's own accounts",
    "hot_customer": "the same, every transfer to one customer: a merchant",
    "batch": f"batches of {BATCH}: refunds, returned payments (many to many)",
    "batch_payroll": f"batches of {BATCH}: payroll (one to {BATCH})",
    "batch_interest": f"batches of {BATCH}: interest, redemptions (the bank's own to {BATCH})",
    "batch_merchant": f"batches of {BATCH}: a merchant's takings ({BATCH} to the one customer of all batches)",
    "post": "bare posting by ledger.actions, through Django",
    "hordak": "django-hordak with a lock and a balance check",
    "action": "a transfer's whole action: intent, statement, limits, signature, hold, audit, outbox",
    "action_double": f"the same by {PROCESSES['action_double']} processes",
    "action_clients": f"the same by {CLIENTS} processes",
    "action_half": f"the same by {CORES} at half their rate",
    "action_requests": "the same by requests, through Django's whole stack in the same process",
    "action_http": f"the same over HTTP: {CLIENTS} clients, {served.SERVERS} uvicorn processes",
}


def prepare(bed: Bed) -> tuple[float, Served]:
    """The books of this benchmark; answers how many milliseconds the hash of a PIN takes, and where they are served."""
    books.make(bed, DATABASE, ACCOUNTS)
    floor = (PEERS / "floor.sql").read_text().replace(":accounts", str(ACCOUNTS)).replace(":funds", str(FUNDS_FEN))
    bed.cluster.sql(f"{floor}\nGRANT ALL ON floor_account, floor_entry, floor_posting TO {APP};", DATABASE)
    said = bed.run(
        [PYTHON, "-m", "benchmarks.transfers", "prepare", str(max(PROCESSES.values()))], environment(bed, DATABASE)
    )
    servers = served.start(bed, DATABASE)
    _warm(bed)
    return float(said), servers


def _warm(bed: Bed) -> None:
    """What is measured first must not pay for what was made before it: the disk still writes that, the log's files are
    not there yet, and on tables that are all but empty PostgreSQL plans to read the whole of them.
    """
    for name in ("floor", "function"):
        pgbench(bed, SINGLE[name], WARM_S, DATABASE)
    through_django(bed, ACTION, WARM_S, count=CORES)
    os.sync()
    books.settled(bed, DATABASE)


def hordak(bed: Bed) -> dict[str, str]:
    """django-hordak's own packages and database; returns what its process reads."""
    packages = ROOT / "var" / "bench-hordak"
    stamp, content = packages / ".stamp", install.digest([ROOT / "pyproject.toml"])
    if not install.is_stamped(stamp, content):
        shutil.rmtree(packages, ignore_errors=True)
        uv = PYTHON.parent / "uv"
        command = [uv, "pip", "install", "--quiet", "--target", packages, "--group", "benchmarks"]
        bed.run(command, dict(os.environ))
        stamp.write_text(content)
    bed.cluster.sql(f"CREATE DATABASE {HORDAK}")
    found = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO")},
        "PYTHONPATH": str(packages),
        "DATABASE_URL": bed.cluster.superuser_url(HORDAK, on_socket=True),
    }
    bed.run([PYTHON, PEERS / "hordak_pay.py", "prepare", str(HORDAK_ACCOUNTS)], found)
    bed.cluster.sql("VACUUM ANALYZE;", HORDAK)
    return found


def through_django(bed: Bed, module: str, seconds: float, *, count: int = CLIENTS, rate: float = 0, **more: str) -> Run:
    """Transfers by so many processes of that module; `rate`: so many a second, whatever the answers."""
    if rate:
        more |= {"BENCH_RATE": str(rate / count), "BENCH_CLIENTS": str(count)}
    return processes([PYTHON, "-m", module, str(seconds)], environment(bed, DATABASE, **more), seconds, count)


def _conserved(bed: Bed) -> None:
    """No fen made or lost, in the product's books and on the floor."""
    books.conserved(bed, DATABASE, {"SELECT sum(balance_fen) FROM floor_account": ACCOUNTS * FUNDS_FEN})
    books.hold(bed, DATABASE)


def _hordak_conserved(bed: Bed, theirs: dict[str, str], done: int) -> None:
    """As many transfers as were made, all of which add up, and all customers together with what they began with."""
    said = json.loads(bed.run([PYTHON, PEERS / "hordak_pay.py", "check"], theirs))
    money = HORDAK_ACCOUNTS * HORDAK_FUNDS
    found = (said["transfers"], said["unequal"], float(said["customers"]), abs(float(said["source"])))
    if found != (HORDAK_ACCOUNTS + done, 0, money, money):
        raise Failed(f"hordak's books say {said} after {done} transfers with {money} EUR")


def run(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """Rounds over every way to post, one after the other."""
    theirs = hordak(bed)
    pin_ms, servers = prepare(bed)
    found: Found = {}

    def note(name: str, one: Run) -> None:
        found.setdefault(name, []).append(one)

    for number in range(rounds):
        for name, script in SINGLE.items():
            note(name, pgbench(bed, script, seconds, DATABASE))
        for name, script in BATCHES.items():
            note(name, pgbench(bed, script, seconds, DATABASE, each=BATCH))
        note("post", through_django(bed, "benchmarks.posting", seconds))
        _actions(bed, servers, found, seconds)
        note("hordak", processes([PYTHON, PEERS / "hordak_pay.py", str(seconds)], theirs, seconds))
        half = median(one.per_second for one in found["function"]) / 2
        note("half", pgbench(bed, SINGLE["function"], seconds, DATABASE, rate=half))
        report.say(f"round {number + 1}: ledger")
    _conserved(bed)
    _hordak_conserved(bed, theirs, sum(one.done for one in found["hordak"]))
    _tell(report, found, pin_ms)
    _tell_postings(report, found)


def action(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """The whole action alone, beside the floor: a part of `run` that takes a minute."""
    pin_ms, servers = prepare(bed)
    found: Found = {}
    for number in range(rounds):
        found.setdefault("floor", []).append(pgbench(bed, SINGLE["floor"], seconds, DATABASE))
        _actions(bed, servers, found, seconds)
        report.say(f"round {number + 1}: action")
    _conserved(bed)
    _tell(report, found, pin_ms)


def _actions(bed: Bed, servers: Served, found: Found, seconds: float) -> None:
    """By the actions with few and many processes, by requests, and at half of what the actions reach."""

    def note(name: str, one: Run) -> None:
        found.setdefault(name, []).append(one)

    for name, count in PROCESSES.items():
        note(name, through_django(bed, ACTION, seconds, count=count))
    note("action_requests", through_django(bed, ACTION, seconds, count=CORES, BENCH_DOOR="requests"))
    note("action_http", served.transfers(bed, servers, seconds))
    half = median(one.per_second for one in found["action"]) / 2
    # Half as many in twice the time: as many to take the p99 of.
    note("action_half", through_django(bed, ACTION, 2 * seconds, count=CORES, rate=half))


def _rates(found: Found) -> dict[str, float]:
    return {name: median(one.per_second for one in runs) for name, runs in found.items()}


def _p99s(found: Found) -> dict[str, float]:
    return {name: median(one.p99_ms for one in runs) for name, runs in found.items()}


def _tell(report: Report, found: Found, pin_ms: float) -> None:
    rates, p99s = _rates(found), _p99s(found)
    report.table(
        f"ledger: {CLIENTS} clients, whole actions by {CORES} processes, durable, medians",
        ["", "transfers/s", "p99 ms", "of the floor"],
        [
            [title, f"{rates[name]:.0f}", f"{p99s[name]:.1f}", f"{rates[name] / rates['floor']:.2f}"]
            for name, title in TITLES.items()
            if name in rates
        ],
    )
    parts = list(found["action_http"][0].cpu_s)
    cost = {part: median(one.cpu_s[part] / max(one.done, 1) * 1000 for one in found["action_http"]) for part in parts}
    report.table(
        "ledger: what a transfer over HTTP costs, ms of processor; the client makes the signature",
        ["", *parts],
        [["each", *(f"{cost[part]:.2f}" for part in parts)]],
    )
    report.add(Figure("ledger_action_vs_floor", max(rates[name] for name in PROCESSES) / rates["floor"], 0.08, 0.16))
    report.add(Figure("ledger_action_half_load_p99_ms", p99s["action_half"], 25.0, None, lower=True))
    report.add(Figure("ledger_action_requests_per_s", rates["action_requests"], None, None))
    report.add(Figure("ledger_action_http_per_s", rates["action_http"], None, None))
    report.add(Figure("ledger_action_http_server_cpu_ms", cost["servers"], None, None))
    report.add(Figure("ledger_pin_hash_ms", pin_ms, None, None))
    for name, rate in rates.items():
        report.raw(f"ledger_{name}_per_second", rate)
        report.raw(f"ledger_{name}_p99_ms", p99s[name])


def _tell_postings(report: Report, found: Found) -> None:
    rates, p99s = _rates(found), _p99s(found)
    floor, uniform = rates["floor"], rates["function"]
    report.add(Figure("ledger_post_vs_floor", uniform / floor, 0.6, 0.75))
    report.add(Figure("ledger_half_load_p99_ms", p99s["half"], 25.0, None, lower=True))
    report.add(Figure("ledger_hot_vs_uniform", rates["hot"] / uniform, 0.85, 0.95))
    report.add(Figure("ledger_hot_customer_vs_uniform", rates["hot_customer"] / uniform, None, None))
    # What a merchant's collector needs is told beside; the limit is for every batch that touches many customers.
    slowest = min(rates[name] for name in ("batch", "batch_payroll", "batch_interest"))
    report.add(Figure("ledger_batch_vs_floor", slowest / floor, 2.0, 3.0))
    report.add(Figure("ledger_batch_merchant_vs_floor", rates["batch_merchant"] / floor, None, None))
    report.add(Figure("ledger_django_post_vs_floor", rates["post"] / floor, None, None))
    report.add(Figure("ledger_post_vs_hordak", rates["post"] / rates["hordak"], 4.0, None))
