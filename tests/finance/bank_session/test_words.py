"""The sheet's closing words: each kind that can be confirmed has its own."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from finance.bank_session import registry
from finance.payments.models import Payout, Transfer
from finance.wealth.models import Order

STATES = {"transfer": Transfer.State.PENDING, "payout": Payout.State.ACCEPTED, "wealth.subscribe": Order.State.ACCEPTED}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_kind_says_what_came_of_it(language: str) -> None:
    path = Path(settings.BASE_DIR) / "frontend/src/shared/i18n" / language / "bank.json"
    words = json.loads(path.read_text("utf-8"))["outcome"]
    expected = {"_".join([kind.replace(".", "_"), *STATES.get(kind, "").split()]) for kind in registry._kinds}
    assert expected <= set(words)
