"""These tests read and change nothing that another would notice, so that one installation serves them all."""

from collections.abc import Iterator

import pytest

from tests.support import database
from tests.support.site import Site, make_site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    running = make_site()
    yield running
    running.stop()
    database.drop(running.database_name)
