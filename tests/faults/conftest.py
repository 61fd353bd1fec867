"""A long run begins with no figures. The other side of the links is that of the finance tests."""

import pytest

from tests.faults.figures import FIGURES, LONG
from tests.finance.conftest import network

__all__ = ["network"]


@pytest.fixture(scope="session", autouse=True)
def _fresh_figures() -> None:
    if LONG:
        FIGURES.unlink(missing_ok=True)
        FIGURES.parent.mkdir(exist_ok=True)
