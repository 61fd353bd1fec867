"""The ledger against its floor: one plpgsql function with the same guards, driven by pgbench in the same run."""

import json
import re
import subprocess
from statistics import median

import psycopg

from benchmarks.bed import PEERS, Bed
from benchmarks.report import Figure, Report
from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import APP
from deploy.local.processes import Failed

CLIENTS = 8
ACCOUNTS = 4_000
BATCH = 16
DATABASE = "ledger"

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


def prepare(bed: Bed) -> None:
    bed.product_database(DATABASE)
    floor = (PEERS / "floor.sql").read_text().replace(":accounts", str(ACCOUNTS))
    tables = "bench_account, floor_account, floor_entry, floor_posting"
    bed.cluster.sql(
        f"CREATE TABLE bench_account (n int PRIMARY KEY, id uuid NOT NULL);\n{floor}\nGRANT ALL ON {tables} TO {APP};",
        DATABASE,
    )
    bed.run([PYTHON, "-m", "benchmarks.accounts", str(ACCOUNTS)], bed.environment(DATABASE))
    bed.run([PYTHON, "-m", "benchmarks.transfers", "prepare", str(CLIENTS)], bed.environment(DATABASE))
    bed.cluster.sql("VACUUM ANALYZE;", DATABASE)


def pgbench(bed: Bed, script: str, seconds: float) -> tuple[float, float]:
    """Transactions a second and their p99 in milliseconds."""
    folder = bed.folder / "pgbench"
    folder.mkdir(exist_ok=True)
    (folder / "script.sql").write_text(script)
    for old in folder.glob("log.*"):
        old.unlink()
    url = bed.environment(DATABASE)["DATABASE_URL"]
    done = subprocess.run(
        [
            *(str(bed.cluster.binaries / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
            *("-T", str(max(1, round(seconds))), "-f", "script.sql", "-l", "--log-prefix", "log", url),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or not rate:
        raise Failed(f"pgbench failed: {done.stderr[-2000:]}")
    took = sorted(int(line.split()[2]) / 1000 for log in folder.glob("log.*") for line in log.read_text().splitlines())
    return float(rate.group(1)), took[int(len(took) * 0.99)]


def through_django(bed: Bed, module: str, seconds: float) -> tuple[float, float]:
    """Transfers a second by so many processes of that module; the worst of their p99."""
    command = [str(PYTHON), "-m", module, str(seconds)]
    environment = bed.environment(DATABASE, DATABASE_POOL="0")
    workers = [
        subprocess.Popen(
            [*command, str(seed)], cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for seed in range(CLIENTS)
    ]
    try:
        for worker in workers:
            assert worker.stdout
            if worker.stdout.readline().strip() != "ready":
                raise Failed("a posting process did not start")
        results = []
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            out, _ = worker.communicate(timeout=seconds + 60)
            results.append(json.loads(out))
    finally:
        for worker in workers:
            worker.kill()
    return sum(one["count"] for one in results) / seconds, max(one["p99_ms"] for one in results)


def conserved(bed: Bed) -> None:
    """No fen made or lost, in the product's books and on the floor."""
    with psycopg.connect(bed.cluster.superuser_url(DATABASE)) as connection:
        for statement, expected in (
            ("SELECT coalesce(sum(amount_fen), 0)::bigint FROM ledger_posting", 0),
            ("SELECT sum(balance_fen)::bigint FROM floor_account", ACCOUNTS * 100_000_000),
        ):
            row = connection.execute(statement).fetchone()  # type: ignore[arg-type]
            if row is None or row[0] != expected:
                raise Failed(f"money was not conserved: {statement} says {row}, not {expected}")
    bed.run([PYTHON, "manage.py", "verify_ledger"], bed.environment(DATABASE))


def run(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """Rounds over every way to post, one after the other."""
    prepare(bed)
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        for name, script in SCRIPTS.items():
            rate, p99_ms = pgbench(bed, script, seconds)
            found.setdefault(name, []).append((rate * (BATCH if name == "batch" else 1), p99_ms))
        found.setdefault("post", []).append(through_django(bed, "benchmarks.posting", seconds))
        found.setdefault("action", []).append(through_django(bed, "benchmarks.transfers", seconds))
        report.say(f"round {number + 1}: ledger")
    conserved(bed)
    rates = {name: median(rate for rate, _ in values) for name, values in found.items()}
    p99s = {name: median(p99 for _, p99 in values) for name, values in found.items()}
    titles = {
        "floor": "the floor: one function, by pgbench",
        "function": "the ledger's function, by pgbench",
        "hot": "the same, every transfer to one account",
        "batch": f"the same, batches of {BATCH}",
        "post": "ledger.actions.post through Django",
        "action": "a transfer's whole action: intent, statement, limits, hold, audit, outbox",
    }
    report.table(
        f"ledger: {CLIENTS} clients, durable, medians",
        ["", "transfers/s", "p99 ms", "of the floor"],
        [
            [title, f"{rates[name]:.0f}", f"{p99s[name]:.1f}", f"{rates[name] / rates['floor']:.2f}"]
            for name, title in titles.items()
        ],
    )
    report.add(Figure("ledger_post_vs_floor", rates["function"] / rates["floor"], 0.6, 0.75))
    report.add(Figure("ledger_hot_vs_uniform", rates["hot"] / rates["function"], 0.85, 0.95))
    report.add(Figure("ledger_batch_vs_floor", rates["batch"] / rates["floor"], 2.0, 3.0))
    report.add(Figure("ledger_django_post_vs_floor", rates["post"] / rates["floor"], None, None))
    report.add(Figure("ledger_action_vs_floor", rates["action"] / rates["floor"], 0.08, 0.16))
    for name, rate in rates.items():
        report.raw(f"ledger_{name}_per_second", rate)
        report.raw(f"ledger_{name}_p99_ms", p99s[name])
