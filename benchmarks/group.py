"""A group of 500 with 200 online: one message written once, encoded once, delivered to all."""

from statistics import median

from benchmarks.bed import Bed, product
from benchmarks.chat import WARM_S, Contender, checked, counter, people_of, socket_url
from benchmarks.report import Figure, Report

MEMBERS = 500
ONLINE = 200
RATE = 100
"""Messages a second: with 199 receivers some 20,000 deliveries a second."""
DATABASE = "group_of_500"


def run(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """An open loop at 100 messages a second, and as fast as eight in flight go."""
    bed.product_database(DATABASE)
    people = people_of(bed, DATABASE, "group", MEMBERS)[:ONLINE]
    _, origin = product(bed, DATABASE, DATABASE, server="uvicorn")
    plan = {"protocol": "rongliao", "url": socket_url(origin), "origin": origin, "people": people}
    plan["receivers"] = ONLINE - 1
    group = Contender(DATABASE, plan, counter(bed, DATABASE, "SELECT count(*) FROM chat_message WHERE kind = 'text'"))
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        for label, more in (("rate", {"rate": RATE}), ("x8", {"in_flight": 8})):
            before, cpu = group.kept(), bed.cpu_s(DATABASE)
            result = bed.load({**plan, "warm_s": WARM_S, "seconds": seconds, **more})
            cpu = bed.cpu_s(DATABASE) - cpu
            checked(group, result, before)
            found.setdefault(f"{label}_per_second", []).append(result["delivered_per_second"])
            found.setdefault(f"{label}_p99_ms", []).append(result["delivery_p99_ms"])
            found.setdefault(f"{label}_cpu_ms", []).append(cpu * 1000 / result["sent"])
        report.say(f"round {number + 1}: group")
    medians = {name: median(values) for name, values in found.items()}
    report.table(
        f"chat: a group of {MEMBERS}, {ONLINE} online",
        ["", "deliveries/s", "delivery p99", "CPU ms a message"],
        [
            [
                title,
                f"{medians[f'{label}_per_second']:.0f}",
                f"{medians[f'{label}_p99_ms']:.0f} ms",
                f"{medians[f'{label}_cpu_ms']:.1f}",
            ]
            for label, title in (("rate", f"{RATE} messages a second"), ("x8", "8 messages in flight"))
        ],
    )
    report.add(Figure("chat_group_deliveries_per_s", medians["x8_per_second"], 20_000, 40_000))
    report.add(Figure("chat_group_deliver_p99_ms", medians["rate_p99_ms"], 100, 50, lower=True))
    bed.end(DATABASE)
