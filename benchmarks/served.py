"""The product over HTTP: uvicorn servers, a process for each core over Redis, that answer on both origins."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import books
from benchmarks.bed import Bed, product
from benchmarks.drivers import Run, processes
from deploy.local.install import PYTHON
from deploy.local.postgres import free_ports

SERVERS = max(2, os.cpu_count() or 2)


@dataclass(frozen=True)
class Served:
    """Where the servers of a database listen, and the origins that they take themselves for."""

    database: str
    ports: list[int]
    origins: dict[str, str]

    @property
    def names(self) -> list[str]:
        return [f"bank_{place}" for place in range(len(self.ports))]


def start(bed: Bed, database: str) -> Served:
    """Starts them. A proxy would stand before them, and send requests for both origins to any of them."""
    app, bank = free_ports(2)
    origins = {"APP_ORIGIN": f"http://localhost:{app}", "BANK_ORIGIN": f"http://localhost:{bank}"}
    served = Served(database, [], origins)
    more = books.settings(bed, database) | {"REDIS_URL": bed.redis()} | origins
    for place in range(SERVERS):
        port, _ = product(bed, f"bank_{place}", database, server="uvicorn", **more)
        served.ports.append(port)
    return served


def _cpu_s(bed: Bed, served: Served) -> Callable[[], dict[str, float]]:
    def spent() -> dict[str, float]:
        return {
            "servers": sum(bed.cpu_s(name) for name in served.names),
            "PostgreSQL": bed.cpu_s("postgres"),
            "Redis": bed.cpu_s("redis"),
        }

    return spent


def transfers(bed: Bed, served: Served, seconds: float) -> Run:
    """Whole actions by eight clients, each with a connection to each origin that is kept alive."""
    ports = ",".join(str(port) for port in served.ports)
    env = books.environment(bed, served.database, BENCH_PORTS=ports, **served.origins)
    command = [PYTHON, "-m", "benchmarks.transfers", str(seconds)]
    return processes(command, env, seconds, cpu_s=_cpu_s(bed, served))
