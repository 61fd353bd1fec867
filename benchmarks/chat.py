"""Chat against ejabberd and a Node server: durable before the ack, delivered live."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg

from benchmarks import books
from benchmarks.bed import Bed, ejabberd, naive, node_reference, product, prosody
from benchmarks.report import Figure, Report
from deploy.local.install import PYTHON
from deploy.local.processes import Failed

PAIRS = 50
IN_FLIGHT = (1, 8)
RATE = 400
WARM_S = 1.0
FIRST_S = 3.0
PRODUCTS = {
    "product_daphne": "daphne",
    "product": "uvicorn",
}
ARCHIVED = """SELECT count(*) FROM chat_message m WHERE kind = 'text'
    AND EXISTS (SELECT FROM chat_archiverow a WHERE a.message_id = m.id AND a.event = 'said')"""
"""Messages that stand in the log and in the archive."""


@dataclass
class Contender:
    """A server, how the load reaches it, and what it has kept. `may_fall_short`: it is no reference and not ours, and
    what it did not settle in time is told, where elsewhere it fails the run.
    """

    name: str
    plan: dict[str, Any]
    kept: Callable[[], int]
    may_fall_short: bool = False


def _product(name: str, server: str) -> Callable[[Bed, int], Contender]:
    def start(bed: Bed, pairs: int) -> Contender:
        bed.product_database(name)
        plan = {"protocol": "rongliao", "people": people_of(bed, name, "pairs", pairs)}
        _, origin = product(bed, name, name, server=server)
        plan |= {"url": socket_url(origin), "origin": origin}
        return Contender(name, plan, counter(bed, name, ARCHIVED))

    return start


def _named(pairs: int) -> list[dict[str, str]]:
    return [{"name": f"u{index}", "peer": f"u{index ^ 1}"} for index in range(pairs * 2)]


def _ejabberd(bed: Bed, pairs: int) -> Contender:
    people = _named(pairs)
    port = ejabberd(bed, [one["name"] for one in people])
    plan = {"protocol": "xmpp", "port": port, "domain": "bench.local", "password": "secret", "people": people}
    # Two rows a message: one in each person's archive.
    return Contender("ejabberd", plan, counter(bed, "ejabberd", "SELECT count(*) / 2 FROM archive"))


def _prosody(bed: Bed, pairs: int) -> Contender:
    people = _named(pairs)
    port = prosody(bed, [one["name"] for one in people])
    plan = {"protocol": "xmpp", "port": port, "domain": "bench.local", "password": "secret", "people": people}
    # It makes its table with the first message.
    bed.load({**plan, "people": people[:2], "warm_s": 0, "seconds": 0.1, "in_flight": 1})
    archived = "SELECT count(*) / 2 FROM prosodyarchive WHERE store = 'archive'"
    return Contender("prosody", plan, counter(bed, "prosody", archived), may_fall_short=True)


def _node(name: str, **more: str) -> Callable[[Bed, int], Contender]:
    def start(bed: Bed, pairs: int) -> Contender:
        port = node_reference(bed, name, **more)
        plan = {"protocol": "node", "url": f"http://127.0.0.1:{port}", "people": _named(pairs)}
        return Contender(name, plan, counter(bed, name, "SELECT count(*) FROM message"))

    return start


def _naive(bed: Bed, pairs: int) -> Contender:
    port = naive(bed)
    plan = {"protocol": "naive", "url": f"ws://127.0.0.1:{port}/", "people": _named(pairs)}
    return Contender("naive", plan, counter(bed, "naive", "SELECT count(*) FROM message"), may_fall_short=True)


SERVERS: dict[str, Callable[[Bed, int], Contender]] = {
    **{name: _product(name, server) for name, server in PRODUCTS.items()},
    "ejabberd": _ejabberd,
    "node": _node("node"),
    # What is named on the command line alone (--servers).
    "product_websockets": _product("product_websockets", "websockets"),
    "node_group_commit": _node("node_group_commit", GROUP_COMMIT="1"),
    "naive": _naive,
    "prosody": _prosody,
}
"""How each server is started with so many pairs of people."""
COMPARED = (*PRODUCTS, "ejabberd", "node")
"""The servers of a run that names none."""


def people_of(bed: Bed, database: str, *what: object) -> list[dict[str, str]]:
    """People of the product's, as benchmarks.people makes them."""
    command = [PYTHON, "-m", "benchmarks.people", *(str(word) for word in what)]
    return list(json.loads(bed.run(command, bed.environment(database))))


def socket_url(origin: str) -> str:
    return f"{origin.replace('http', 'ws', 1)}/ws/"


def counter(bed: Bed, database: str, statement: str) -> Callable[[], int]:
    def count() -> int:
        with psycopg.connect(bed.cluster.superuser_url(database)) as connection:
            row = connection.execute(statement).fetchone()  # type: ignore[arg-type]  # psycopg asks for a literal
            assert row
            return int(row[0])

    return count


def checked(contender: Contender, result: dict[str, Any], before: int) -> str:
    """A lost or doubled message fails the benchmark; a slow one does not. Says what fell short where that may be."""
    kept = contender.kept() - before
    sent = result["sent"]
    counts = (result["acked"], result["delivered"], kept)
    wrong = {name: result[name] for name in ("acked_twice", "delivered_twice", "reordered", "troubles") if result[name]}
    if counts == (sent, sent, sent) and not wrong:
        return ""
    said = f"{contender.name}: sent {sent}, acknowledged, delivered, kept {counts}; {str(wrong)[:500]}"
    if contender.may_fall_short:
        return said
    raise Failed(said)


def _warm(bed: Bed, contender: Contender) -> None:
    """Says something for a moment, and has PostgreSQL look at it, as it does by itself each minute: whoever is measured
    is past their first minute. On tables of which nothing is known plans are a matter of luck.
    """
    before = contender.kept()
    result = bed.load({**contender.plan, "warm_s": 0, "seconds": FIRST_S, "rate": RATE})
    if short := checked(contender, result, before):
        print(short, flush=True)
    books.settled(bed, contender.name)


def run(bed: Bed, report: Report, *, rounds: int, seconds: float, servers: Sequence[str] = COMPARED) -> None:
    """Rounds over every server, one after the other, so that a noisy minute hits them all.

    What has no limit, Daphne and one message in flight, is measured in the first round alone.
    """
    everyone = [SERVERS[name](bed, PAIRS) for name in servers]
    figures: dict[tuple[str, str], list[float]] = {}

    def note(contender: Contender, label: str, plan: dict[str, Any]) -> None:
        before, cpu = contender.kept(), bed.cpu_s(contender.name)
        result = bed.load({**contender.plan, "warm_s": WARM_S, "seconds": seconds, **plan})
        cpu = bed.cpu_s(contender.name) - cpu
        if short := checked(contender, result, before):
            report.say(short)
        for key in ("per_second", "ack_p50_ms", "ack_p99_ms", "delivery_p50_ms", "delivery_p99_ms"):
            figures.setdefault((contender.name, f"{label}_{key}"), []).append(result[key])
        figures.setdefault((contender.name, f"{label}_cpu"), []).append(cpu / result["sent"] * 1000)
        figures.setdefault((contender.name, f"{label}_client_cpu"), []).append(
            result["client_cpu_s"] / result["sent"] * 1000
        )

    for contender in everyone:
        _warm(bed, contender)
    for number in range(rounds):
        for contender in everyone:
            if number and contender.name == "product_daphne":
                continue
            for in_flight in IN_FLIGHT:
                if in_flight > 1 or number == 0:
                    note(contender, f"x{in_flight}", {"in_flight": in_flight})
            note(contender, "rate", {"rate": RATE})
            report.say(f"round {number + 1}: {contender.name}")
    medians = {key: median(values) for key, values in figures.items()}
    tabulate(report, everyone, medians)
    compare(report, medians)


def tabulate(report: Report, everyone: list[Contender], medians: dict[tuple[str, str], float]) -> None:
    report.table(
        "chat: 50 pairs, durable before the ack, medians",
        ["server", "msgs/s x1", "msgs/s x8", "CPU s/1000 x8", "client", "ack p50/p99 at 400/s", "delivery p50/p99"],
        [
            [
                one.name,
                f"{medians[one.name, 'x1_per_second']:.0f}",
                f"{medians[one.name, 'x8_per_second']:.0f}",
                f"{medians[one.name, 'x8_cpu']:.2f}",
                f"{medians[one.name, 'x8_client_cpu']:.2f}",
                f"{medians[one.name, 'rate_ack_p50_ms']:.1f} / {medians[one.name, 'rate_ack_p99_ms']:.1f} ms",
                f"{medians[one.name, 'rate_delivery_p50_ms']:.1f} / {medians[one.name, 'rate_delivery_p99_ms']:.1f} ms",
            ]
            for one in everyone
        ],
    )


def compare(report: Report, medians: dict[tuple[str, str], float]) -> None:
    def ratio(key: str, peer: str, ours: str = "product") -> float:
        return medians[ours, key] / medians[peer, key]

    for (name, key), value in sorted(medians.items()):
        report.raw(f"chat_{name}_{key}", value)
    if not set(COMPARED) <= {name for name, _ in medians}:
        return
    for in_flight in IN_FLIGHT:
        suffix = "" if in_flight == 8 else "_x1"
        limits = ((3.0, 5.0), (1.2, 2.0)) if in_flight == 8 else ((None, None), (None, None))
        for peer, (must, goal) in zip(("ejabberd", "node"), limits, strict=True):
            report.add(Figure(f"chat_vs_{peer}{suffix}", ratio(f"x{in_flight}_per_second", peer), must, goal))
            daphne = ratio(f"x{in_flight}_per_second", peer, "product_daphne")
            report.add(Figure(f"chat_daphne_vs_{peer}{suffix}", daphne, None, None))
    report.add(Figure("chat_ack_p99_vs_ejabberd", ratio("rate_ack_p99_ms", "ejabberd"), 1.5, 1.0, lower=True))
    report.add(Figure("chat_deliver_p99_vs_ejabberd", ratio("rate_delivery_p99_ms", "ejabberd"), 1.0, 0.8, lower=True))
