"""The ledger against its floor: one plpgsql function with the same guards, driven by pgbench in the same run."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.bed import PEERS, Bed
from benchmarks.report import Figure, Report
from deploy.local import install, state
from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import APP
from deploy.local.processes import Failed

CLIENTS = 8
PROCESSES = max(2, os.cpu_count() or 2)
"""So many processes do whole actions: one for each core, as servers are run. More take the cores from each other."""
ACCOUNTS = 4_000
BATCH = 16
DATABASE, GROWN, HORDAK = "ledger", "ledger_grown", "hordak"
ROUNDS_AT_ONCE = 25
SECRETS = ("SECRET_KEY", "BLIND_INDEX_KEY", "AUDIT_KEY", "PIN_PEPPER", "NETWORKS_SECRET")

_POST = """SELECT * FROM ledger_post_two(
  gen_random_uuid(), gen_random_uuid()::text, '\\\\x00', 'transfer', 'bench', null, null, now(), current_date, null,
  {payer}, {payee}, :fen);
"""
_ACCOUNT = "(SELECT id FROM bench_account WHERE n = :{name})"
_ONE_FOR_ALL = "(SELECT id FROM bench_account WHERE n = 0)"
_PICK = f"""\\set a random(1, {ACCOUNTS})
\\set b 1 + (:a + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}
\\set fen random(1, 500)
"""

SCRIPTS = {
    "floor": _PICK + "SELECT floor_transfer(gen_random_uuid()::text, '\\\\x00', :a, :b, :fen);\n",
    "function": _PICK + _POST.format(payer=_ACCOUNT.format(name="a"), payee=_ACCOUNT.format(name="b")),
    "hot": _PICK + _POST.format(payer=_ACCOUNT.format(name="a"), payee=_ONE_FOR_ALL),
    # The accounts are drawn once for each row before they are looked up: random() in a WHERE is drawn anew per row.
    "batch": f"""\\set seed random(1, 1000000)
WITH drawn AS MATERIALIZED (
  SELECT g, 1 + floor(random() * {ACCOUNTS})::int AS a, floor(random() * {ACCOUNTS - 1})::int AS step
  FROM generate_series(1, {BATCH}) AS g
), legs AS MATERIALIZED (
  SELECT g, x.id AS payer, y.id AS payee
  FROM drawn, LATERAL (SELECT id FROM bench_account WHERE n = a OFFSET 0) AS x,
    LATERAL (SELECT id FROM bench_account WHERE n = 1 + (a + step) % {ACCOUNTS} OFFSET 0) AS y
)
SELECT ledger_post(
  array_agg(gen_random_uuid()), array_agg(gen_random_uuid()::text), array_agg('\\\\x00'::bytea),
  array_agg('transfer'::text), array_agg('bench'::text), array_agg(null::uuid), array_agg(null::uuid),
  array_agg(now()), array_agg(current_date), array_agg(2::smallint), array_agg(null::uuid), array_agg(null::uuid),
  (SELECT array_agg(g ORDER BY g, n) FROM legs, generate_series(1, 2) AS n),
  (SELECT array_agg(n::smallint ORDER BY g, n) FROM legs, generate_series(1, 2) AS n),
  (SELECT array_agg(CASE n WHEN 1 THEN payer ELSE payee END ORDER BY g, n) FROM legs, generate_series(1, 2) AS n),
  (SELECT array_agg(CASE n WHEN 1 THEN -7 ELSE 7 END::bigint ORDER BY g, n) FROM legs, generate_series(1, 2) AS n)
) FROM legs;
""",
}


def prepare(bed: Bed) -> float:
    """The books of this benchmark; answers how many milliseconds the hash of a PIN takes."""
    bed.product_database(DATABASE)
    floor = (PEERS / "floor.sql").read_text().replace(":accounts", str(ACCOUNTS))
    tables = "bench_account, floor_account, floor_entry, floor_posting"
    bed.cluster.sql(
        f"CREATE TABLE bench_account (n int PRIMARY KEY, id uuid NOT NULL);\n{floor}\nGRANT ALL ON {tables} TO {APP};",
        DATABASE,
    )
    bed.run([PYTHON, "-m", "benchmarks.accounts", str(ACCOUNTS)], environment(bed))
    said = bed.run([PYTHON, "-m", "benchmarks.transfers", "prepare", str(CLIENTS)], environment(bed))
    bed.cluster.sql("VACUUM ANALYZE;", DATABASE)
    # What the preparation wrote is on the disk before anything is measured.
    bed.cluster.sql("CHECKPOINT")
    return float(said)


def grown(bed: Bed, postings: int) -> None:
    """A copy of the database with so many postings in it."""
    bed.cluster.sql(f"CREATE DATABASE {GROWN} TEMPLATE {DATABASE}")
    bed.cluster.sql((PEERS / "grow.sql").read_text(), GROWN)
    rounds = -(-postings // (2 * ACCOUNTS))
    for start in range(0, rounds, ROUNDS_AT_ONCE):
        bed.cluster.sql(f"CALL bench_grow({min(ROUNDS_AT_ONCE, rounds - start)});", GROWN)
    bed.cluster.sql("VACUUM ANALYZE;", GROWN)
    bed.cluster.sql("CHECKPOINT")


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
    bed.run([PYTHON, PEERS / "hordak_pay.py", "prepare", str(ACCOUNTS // 10)], found)
    bed.cluster.sql("VACUUM ANALYZE;", HORDAK)
    return found


def environment(bed: Bed, database: str = DATABASE) -> dict[str, str]:
    """A bank's installation, not a demonstration: nobody moves its date on. Everybody here speaks with PostgreSQL over
    its Unix socket, as `make run` does.
    """
    secret = {name: f"benchmark-{name.lower()}-{'0' * 40}" for name in SECRETS}
    key = base64.b64encode(b"\x02" * 32).decode()
    url = bed.cluster.url(APP, bed.app_password, database, on_socket=True)
    signing = str(state.receipt_key(bed.folder / "receipts.pem"))
    return bed.environment(
        database,
        DATABASE_URL=url,
        DEMO="0",
        DATABASE_POOL="0",
        FIELD_KEYS=f"bench:{key}",
        RECEIPT_KEY_FILE=signing,
        **secret,
    )


def pgbench(bed: Bed, script: str, seconds: float, *, database: str = DATABASE, rate: float = 0) -> tuple[float, float]:
    """Transactions a second and their p99 in milliseconds; `rate`: so many a second, whatever the answers."""
    folder = bed.folder / "pgbench"
    folder.mkdir(exist_ok=True)
    (folder / "script.sql").write_text(script)
    for old in folder.glob("log.*"):
        old.unlink()
    url = environment(bed, database)["DATABASE_URL"]
    done = subprocess.run(
        [
            *(str(bed.cluster.binaries / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
            *("-T", str(max(1, round(seconds))), "-f", "script.sql", "-l", "--log-prefix", "log"),
            *(["-R", str(max(1, round(rate)))] if rate else []),
            url,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or not found:
        raise Failed(f"pgbench failed: {done.stderr[-2000:]}")
    took = sorted(int(line.split()[2]) / 1000 for log in folder.glob("log.*") for line in log.read_text().splitlines())
    return float(found.group(1)), took[int(len(took) * 0.99)]


def processes(
    command: Sequence[str | Path], env: dict[str, str], seconds: float, count: int = CLIENTS
) -> tuple[float, float]:
    """So many processes of a command that begin together: what they did a second, and the p99 of all of it in ms."""
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
                raise Failed(f"{command[1]} did not start")
        took: list[float] = []
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            out, _ = worker.communicate(timeout=seconds + 60)
            took += json.loads(out)["took_ms"]
    finally:
        for worker in workers:
            worker.kill()
    took.sort()
    return len(took) / seconds, took[int(len(took) * 0.99)]


def through_django(
    bed: Bed, module: str, seconds: float, *, count: int = CLIENTS, rate: float = 0, door: str = ""
) -> tuple[float, float]:
    """Transfers a second by so many processes of that module, and their p99 in milliseconds."""
    env = environment(bed) | {"BENCH_DOOR": door}
    if rate:
        env |= {"BENCH_RATE": str(rate / count), "BENCH_CLIENTS": str(count)}
    return processes([PYTHON, "-m", module, str(seconds)], env, seconds, count)


def conserved(bed: Bed, database: str = DATABASE) -> None:
    """No fen made or lost, in the product's books and on the floor."""
    with psycopg.connect(bed.cluster.superuser_url(database)) as connection:
        for statement, expected in (
            ("SELECT coalesce(sum(amount_fen), 0)::bigint FROM ledger_posting", 0),
            ("SELECT sum(balance_fen)::bigint FROM floor_account", ACCOUNTS * 100_000_000),
        ):
            row = connection.execute(statement).fetchone()  # type: ignore[arg-type]  # psycopg asks for a literal
            if row is None or row[0] != expected:
                raise Failed(f"money was not conserved: {statement} says {row}, not {expected}")
    bed.run([PYTHON, "manage.py", "verify_ledger"], environment(bed, database))


def proved(bed: Bed) -> tuple[int, float]:
    """How many postings `verify_ledger` proves in the grown books, and in how many seconds."""
    said = bed.run([PYTHON, "manage.py", "verify_ledger"], environment(bed, GROWN))
    found = re.search(r"(\d+) postings, ([\d.]+) s", said)
    if found is None:
        raise Failed(f"verify_ledger said {said}")
    return int(found.group(1)), float(found.group(2))


def run(bed: Bed, report: Report, *, rounds: int, seconds: float, postings: int) -> None:
    """Rounds over every way to post, one after the other."""
    pin_ms = prepare(bed)
    report.say(f"books of {postings} postings are made")
    grown(bed, postings)
    theirs = hordak(bed)
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        for name, script in SCRIPTS.items():
            rate, p99_ms = pgbench(bed, script, seconds)
            found.setdefault(name, []).append((rate * (BATCH if name == "batch" else 1), p99_ms))
        found.setdefault("grown", []).append(pgbench(bed, SCRIPTS["function"], seconds, database=GROWN))
        found.setdefault("post", []).append(through_django(bed, "benchmarks.posting", seconds))
        _actions(bed, found, seconds)
        found.setdefault("hordak", []).append(
            processes([PYTHON, PEERS / "hordak_pay.py", str(seconds)], theirs, seconds)
        )
        half = median(rate for rate, _ in found["function"]) / 2
        found.setdefault("half", []).append(pgbench(bed, SCRIPTS["function"], seconds, rate=half))
        report.say(f"round {number + 1}: ledger")
    count, took_s = proved(bed)
    for database in (DATABASE, GROWN):
        conserved(bed, database)
    _tell(report, found, postings, pin_ms)
    report.say(f"verify_ledger: {count} postings in {took_s:.1f} s")
    report.add(Figure("ledger_verify_postings_per_s", count / max(took_s, 0.1), 10_000_000 / 60, 10_000_000 / 30))


def action(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """The whole action alone, beside the floor: a part of `run` that takes a minute."""
    pin_ms = prepare(bed)
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        found.setdefault("floor", []).append(pgbench(bed, SCRIPTS["floor"], seconds))
        _actions(bed, found, seconds)
        report.say(f"round {number + 1}: action")
    conserved(bed)
    _tell(report, found, 0, pin_ms)


def _actions(bed: Bed, found: dict[str, list[tuple[float, float]]], seconds: float) -> None:
    """By the actions, also with more processes than serve best, by requests, and at half of what the actions reach."""
    module = "benchmarks.transfers"
    found.setdefault("action", []).append(through_django(bed, module, seconds, count=PROCESSES))
    found.setdefault("action_8", []).append(through_django(bed, module, seconds))
    found.setdefault("action_http", []).append(through_django(bed, module, seconds, count=PROCESSES, door="http"))
    half = median(rate for rate, _ in found["action"]) / 2
    # Half as many in twice the time: as many to take the p99 of.
    found.setdefault("action_half", []).append(through_django(bed, module, 2 * seconds, count=PROCESSES, rate=half))


def _tell(report: Report, found: dict[str, list[tuple[float, float]]], postings: int, pin_ms: float) -> None:
    rates = {name: median(rate for rate, _ in values) for name, values in found.items()}
    p99s = {name: median(p99 for _, p99 in values) for name, values in found.items()}
    titles = {
        "floor": "the floor: one function, by pgbench",
        "function": "the ledger's function, by pgbench",
        "half": "the same at half that rate",
        "hot": "the same, every transfer to one account",
        "grown": f"the same on books of {postings} postings",
        "batch": f"batches of {BATCH}",
        "post": "bare posting by ledger.actions, through Django",
        "hordak": "django-hordak with a lock and a balance check",
        "action": "a transfer's whole action: intent, statement, limits, signature, hold, audit, outbox",
        "action_half": "the same at half that rate",
        "action_8": f"the same by {CLIENTS} processes",
        "action_http": "the same by requests, through Django's whole stack",
    }
    report.table(
        f"ledger: {CLIENTS} clients, whole actions by {PROCESSES} processes, durable, medians",
        ["", "transfers/s", "p99 ms", "of the floor"],
        [
            [title, f"{rates[name]:.0f}", f"{p99s[name]:.1f}", f"{rates[name] / rates['floor']:.2f}"]
            for name, title in titles.items()
            if name in rates
        ],
    )
    report.add(Figure("ledger_action_vs_floor", rates["action"] / rates["floor"], 0.08, 0.16))
    report.add(Figure("ledger_action_half_load_p99_ms", p99s["action_half"], 25.0, None, lower=True))
    report.add(Figure("ledger_action_http_per_s", rates["action_http"], None, None))
    report.add(Figure("ledger_pin_hash_ms", pin_ms, None, None))
    for name, rate in rates.items():
        report.raw(f"ledger_{name}_per_second", rate)
        report.raw(f"ledger_{name}_p99_ms", p99s[name])
    if "function" not in rates:
        return
    report.add(Figure("ledger_post_vs_floor", rates["function"] / rates["floor"], 0.6, 0.75))
    report.add(Figure("ledger_hot_vs_uniform", rates["hot"] / rates["function"], 0.85, 0.95))
    report.add(Figure("ledger_batch_vs_floor", rates["batch"] / rates["floor"], 2.0, 3.0))
    report.add(Figure("ledger_django_post_vs_floor", rates["post"] / rates["floor"], None, None))
    report.add(Figure("ledger_post_vs_hordak", rates["post"] / rates["hordak"], 4.0, None))
    report.add(Figure("ledger_grown_vs_fresh", rates["grown"] / rates["function"], None, None))
