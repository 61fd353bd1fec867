"""The other side of the links, as a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.networks import Simulator


@pytest.fixture
def network(tmp_path: Path, settings) -> Iterator[Simulator]:
    """A simulator of the test's own, which the product's adapters talk to."""
    running = Simulator(tmp_path)
    running.start()
    settings.NETWORKS_URL, settings.NETWORKS_SECRET = running.url, running.secret
    yield running
    running.stop()
