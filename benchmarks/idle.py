"""What a connection that says nothing costs, and what it costs others when thousands come at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from benchmarks.bed import Bed, ejabberd, node_reference, product
from benchmarks.chat import PRODUCTS, WARM_S, Contender, checked, counter, people_of, socket_url
from benchmarks.report import Figure, Report

PEOPLE = 1_000
DEVICES = 5
FEW = 1_000
"""Connections to the servers that are not compared by a limit."""
AT_ONCE = 2_000
"""These come together, as after a server's restart; the others a hundred at a time."""
CONNECT_LIMIT_S = 20
OTHERS_ACK_MS = 100
CONNECT = "connect"
WARM = 100
"""Connections that were there before: what a server needs once is not counted."""
SETTLED_S = 1.0
SETTLE_LIMIT_S = 8
STILL = 0.15
"""Memory is read when the server takes no more than this share of a processor."""
PAIRS = 10
RATE = 100
OTHERS_S = 5.0


def run(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """Every server once, fresh and alone."""
    del rounds, seconds
    names = [f"c{person}" for person in range(PEOPLE)]
    by_name = [
        {"name": name, "peer": names[0], "resource": f"r{device}"} for name in names for device in range(DEVICES)
    ]
    bed.product_database("idle")
    crowd = people_of(bed, "idle", "crowd", PEOPLE, DEVICES)
    taken: dict[str, tuple[float, float]] = {}
    for label, server in PRODUCTS.items():
        name = f"idle_{label}"
        _, origin = product(bed, name, "idle", server=server)
        plan = {"protocol": "rongliao", "url": socket_url(origin), "origin": origin}
        taken[label] = cost(bed, report, name, {**plan, "people": crowd if label == "product" else crowd[:FEW]})
        bed.end(name)
    port = ejabberd(bed, names, "idle_ejabberd")
    plan = {"protocol": "xmpp", "port": port, "domain": "bench.local", "password": "secret", "people": by_name}
    taken["ejabberd"] = cost(bed, report, "idle_ejabberd", plan)
    bed.end("idle_ejabberd")
    port = node_reference(bed, "idle_node")
    plan = {"protocol": "node", "url": f"http://127.0.0.1:{port}", "people": by_name[:FEW]}
    taken["node"] = cost(bed, report, "idle_node", plan)
    bed.end("idle_node")
    report.table(
        f"chat: {PEOPLE * DEVICES} idle connections, the first {AT_ONCE} at once ({FEW} to Daphne and Node)",
        ["server", "KiB each", "seconds to connect all"],
        [[name, f"{kib:.1f}", f"{took_s:.1f}"] for name, (kib, took_s) in taken.items()],
    )
    for name, (kib, took_s) in taken.items():
        report.raw(f"chat_{name}_idle_kib", kib)
        report.raw(f"chat_{name}_connect_all_s", took_s)
    ours, theirs = taken["product"][0], taken["ejabberd"][0]
    report.add(Figure("chat_idle_kib_per_connection", ours, theirs * 0.8, theirs * 0.6, lower=True))
    report.add(Figure("chat_idle_memory_vs_ejabberd", ours / theirs, 0.8, 0.6, lower=True))


def connect(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """2,000 that come at once while ten pairs talk, on a fresh server."""
    del seconds
    bed.product_database(CONNECT)
    talking = people_of(bed, CONNECT, "pairs", PAIRS)
    crowd = people_of(bed, CONNECT, "crowd", AT_ONCE // DEVICES, DEVICES)
    kept = counter(bed, CONNECT, "SELECT count(*) FROM chat_message WHERE kind = 'text'")
    for label, server in PRODUCTS.items():
        name = f"connect_{label}"
        _, origin = product(bed, name, CONNECT, server=server)
        plan = {"protocol": "rongliao", "url": socket_url(origin), "origin": origin}
        others = Contender(name, {**plan, "people": talking}, kept)
        beside(bed, report, others, {**plan, "people": crowd}, rounds if label == "product" else 1)
        bed.end(name)


def settle(bed: Bed, name: str) -> None:
    """Waits until a server is nearly still."""
    until = time.monotonic() + SETTLE_LIMIT_S
    while time.monotonic() < until:
        before = bed.cpu_s(name)
        time.sleep(SETTLED_S)
        if bed.cpu_s(name) - before <= STILL * SETTLED_S:
            return


def cost(bed: Bed, report: Report, name: str, plan: dict[str, Any]) -> tuple[float, float]:
    """KiB of resident memory for each connection, and the seconds until all were there."""
    people = plan["people"]
    with bed.staying({**plan, "people": people[:WARM]}, name):
        settle(bed, name)
        before = bed.memory_kib(name)
        with bed.staying({**plan, "people": people[WARM:], "at_once": AT_ONCE}, name) as opened:
            settle(bed, name)
            each = (bed.memory_kib(name) - before) / (len(people) - WARM)
    report.say(f"{name}: {each:.1f} KiB")
    return each, opened["all_ms"] / 1000


def beside(bed: Bed, report: Report, others: Contender, crowd: dict[str, Any], rounds: int) -> None:
    """How long 2,000 take who come at once, and what ten pairs notice of it; medians."""
    settle(bed, others.name)
    plan = {**others.plan, "warm_s": WARM_S, "seconds": OTHERS_S, "rate": RATE}
    alone, meanwhile, opened, cost_ms = [], [], [], []
    for number in range(rounds):
        before = others.kept()
        alone.append(bed.load(plan))
        checked(others, alone[-1], before)
        before, cpu = others.kept(), bed.cpu_s(others.name)
        with ThreadPoolExecutor(1) as pool:
            talk = pool.submit(bed.load, plan)
            time.sleep(WARM_S)
            with bed.staying({**crowd, "at_once": AT_ONCE}, others.name) as came:
                cost_ms.append((bed.cpu_s(others.name) - cpu) * 1000 / AT_ONCE)
                opened.append(came)
                meanwhile.append(talk.result())
        checked(others, meanwhile[-1], before)
        settle(bed, others.name)
        report.say(f"round {number + 1}: {others.name}")

    def middle(some: list[dict[str, Any]], key: str) -> float:
        return median(one[key] for one in some)

    all_s = middle(opened, "all_ms") / 1000
    report.table(
        f"chat: {AT_ONCE} connect at once to {others.name}, beside {PAIRS} pairs with {RATE} messages a second",
        ["", "seconds", "others' ack p50/p99", "delivery p99", "CPU ms each: server", "client"],
        [
            [
                title,
                took,
                f"{middle(some, 'ack_p50_ms'):.1f} / {middle(some, 'ack_p99_ms'):.0f} ms",
                f"{middle(some, 'delivery_p99_ms'):.0f} ms",
                *costs,
            ]
            for title, took, some, costs in (
                ("nobody connects", "", alone, ("", "")),
                (
                    *("all connect", f"{all_s:.1f}", meanwhile),
                    (f"{median(cost_ms):.1f}", f"{middle(opened, 'client_cpu_ms') / AT_ONCE:.1f}"),
                ),
            )
        ],
    )
    suffix = others.name.removeprefix("connect_product")
    limit = None if suffix else CONNECT_LIMIT_S
    report.add(Figure(f"chat_connect{suffix}_{AT_ONCE}_s", all_s, limit, None, lower=True))
    others_ms = None if suffix else OTHERS_ACK_MS
    ack_p99 = middle(meanwhile, "ack_p99_ms")
    report.add(Figure(f"chat_connect{suffix}_others_ack_p99_ms", ack_p99, others_ms, None, lower=True))
    report.raw(f"chat_connect{suffix}_nobody_ack_p99_ms", middle(alone, "ack_p99_ms"))
    report.raw(f"chat_connect{suffix}_server_cpu_ms_each", median(cost_ms))
