"""What a connection that says nothing costs, and what it costs others when thousands come at once."""

import time
from concurrent.futures import ThreadPoolExecutor
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
    """Every server once, fresh and alone; then 2,000 that come at once while ten pairs talk."""
    del rounds, seconds
    names = [f"c{person}" for person in range(PEOPLE)]
    by_name = [
        {"name": name, "peer": names[0], "resource": f"r{device}"} for name in names for device in range(DEVICES)
    ]
    bed.product_database("idle")
    talking = people_of(bed, "idle", "pairs", PAIRS)
    crowd = people_of(bed, "idle", "crowd", PEOPLE, DEVICES)
    taken: dict[str, tuple[float, float]] = {}
    for label, server in PRODUCTS.items():
        name = f"idle_{label}"
        _, origin = product(bed, name, "idle", server=server)
        plan = {"protocol": "rongliao", "url": socket_url(origin), "origin": origin}
        taken[label] = cost(bed, report, name, {**plan, "people": crowd if label == "product" else crowd[:FEW]})
        if label == "product":
            beside(bed, report, Contender(name, {**plan, "people": talking}, texts(bed)), {**plan, "people": crowd})
        bed.end(name)
    port = ejabberd(bed, names, "idle_ejabberd")
    plan = {"protocol": "ejabberd", "port": port, "domain": "bench.local", "password": "secret", "people": by_name}
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


def texts(bed: Bed) -> Any:
    return counter(bed, "idle", "SELECT count(*) FROM chat_message WHERE kind = 'text'")


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


def beside(bed: Bed, report: Report, others: Contender, crowd: dict[str, Any]) -> None:
    """How long 2,000 take who come at once, and what ten pairs notice of it."""
    settle(bed, others.name)
    plan = {**others.plan, "warm_s": WARM_S, "seconds": OTHERS_S, "rate": RATE}
    before = others.kept()
    alone = bed.load(plan)
    checked(others, alone, before)
    before = others.kept()
    with ThreadPoolExecutor(1) as pool:
        talk = pool.submit(bed.load, plan)
        time.sleep(WARM_S)
        with bed.staying({**crowd, "people": crowd["people"][:AT_ONCE], "at_once": AT_ONCE}, others.name) as opened:
            meanwhile = talk.result()
    checked(others, meanwhile, before)
    report.table(
        f"chat: {AT_ONCE} connect at once, beside {PAIRS} pairs with {RATE} messages a second",
        ["", "seconds", "others' ack p50/p99", "delivery p99"],
        [
            [title, took, f"{one['ack_p50_ms']:.1f} / {one['ack_p99_ms']:.0f} ms", f"{one['delivery_p99_ms']:.0f} ms"]
            for title, took, one in (
                ("nobody connects", "", alone),
                ("all connect", f"{opened['all_ms'] / 1000:.1f}", meanwhile),
            )
        ],
    )
    report.add(Figure(f"chat_connect_{AT_ONCE}_s", opened["all_ms"] / 1000, CONNECT_LIMIT_S, None, lower=True))
    report.add(Figure("chat_connect_others_ack_p99_ms", meanwhile["ack_p99_ms"], None, None))
    report.raw("chat_connect_nobody_ack_p99_ms", alone["ack_p99_ms"])
