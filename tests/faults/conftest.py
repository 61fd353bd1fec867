"""The other side of the links is that of the finance tests; the fleet is what sockets meet."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.fleet import Fleet
from tests.finance.conftest import network

__all__ = ["network"]


@pytest.fixture(scope="package")
def fleet() -> Iterator[Fleet]:
    """Started once: its servers are killed and start again, and its people go on."""
    started = Fleet()
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def _no_rates(settings: Any) -> None:
    """What a person may do in a minute or a day is not what fails here."""
    settings.PREPARES_PER_MINUTE = settings.NEW_DEVICE_DAY_FEN = 10**12
