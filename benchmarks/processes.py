"""One server process and two over Redis, with every pair on different processes."""

from statistics import median
from typing import Any

from benchmarks.bed import Bed, product
from benchmarks.chat import PAIRS, WARM_S, Contender, checked, counter, people_of, socket_url
from benchmarks.report import Figure, Report

DATABASE = "processes"


def run(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """Prints what the second process brings on this machine, where client, database and servers share the cores."""
    bed.product_database(DATABASE)
    people = people_of(bed, DATABASE, "pairs", PAIRS)
    redis = bed.redis()
    _, origin = product(bed, "one", DATABASE, server="uvicorn", REDIS_URL=redis)
    ports = [product(bed, name, DATABASE, server="uvicorn", REDIS_URL=redis, APP_ORIGIN=origin)[0] for name in ("two",)]
    spread = [
        person | ({"url": f"ws://localhost:{ports[0]}/ws/"} if index % 4 in {1, 2} else {})
        for index, person in enumerate(people)
    ]
    plan: dict[str, Any] = {"protocol": "rongliao", "url": socket_url(origin), "origin": origin}
    kept = counter(bed, DATABASE, "SELECT count(*) FROM chat_message WHERE kind = 'text'")
    parts = {"servers": ("one", "two"), "Redis": ("redis",), "PostgreSQL": ("postgres",)}

    def cpu_s() -> dict[str, float]:
        return {part: sum(bed.cpu_s(name) for name in names) for part, names in parts.items()}

    rates: dict[str, list[float]] = {"one": [], "two": []}
    costs: dict[str, list[list[float]]] = {"one": [], "two": []}
    for number in range(rounds):
        for label, who in (("one", people), ("two", spread)):
            contender = Contender(label, {**plan, "people": who}, kept)
            before, spent = kept(), cpu_s()
            result = bed.load({**contender.plan, "warm_s": WARM_S, "seconds": seconds, "in_flight": 8})
            taken = [after - spent[part] for part, after in cpu_s().items()]
            checked(contender, result, before)
            rates[label].append(result["per_second"])
            costs[label].append([each * 1000 / result["sent"] for each in (*taken, result["client_cpu_s"])])
        report.say(f"round {number + 1}: processes")
    one, two = (median(rates[label]) for label in ("one", "two"))
    report.table(
        "chat: server processes over Redis, 8 in flight",
        ["", "msgs/s", *(f"CPU s/1000: {part}" for part in parts), "client"],
        [
            [title, f"{rate:.0f}", *(f"{median(each):.3f}" for each in zip(*costs[label], strict=True))]
            for title, rate, label in (("1", one, "one"), ("2", two, "two"))
        ],
    )
    report.add(Figure("chat_two_processes_vs_one", two / one, None, None))
    for name in ("one", "two", "redis"):
        bed.end(name)
