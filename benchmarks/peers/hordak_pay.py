"""django-hordak with a row lock and a balance check, on the same PostgreSQL.

python hordak_pay.py prepare ACCOUNTS makes them, with money; python hordak_pay.py SECONDS SEED transfers until the time
is up. Reads DATABASE_URL; runs on the packages of its own folder (pyproject's group `benchmarks`).
"""

import json
import os
import random
import sys
import time
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="benchmark",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    HORDAK_CURRENCIES=["EUR"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path[1:],
            "USER": url.username,
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname,
            "PORT": url.port,
        }
    },
)
django.setup()

from django.core.management import call_command
from django.db import transaction
from hordak.models import Account, AccountType
from moneyed import Money

FUNDS = Money("1000000", "EUR")


def make(count: int) -> None:
    call_command("migrate", verbosity=0)
    source = Account.objects.create(name="source", code="0", type=AccountType.equity, currencies=["EUR"])
    for number in range(1, count + 1):
        account = Account.objects.create(
            name=f"a{number}", code=str(number), type=AccountType.asset, currencies=["EUR"]
        )
        source.transfer_to(account, FUNDS)


def pay(seconds: float, seed: str) -> None:
    ids = list(Account.objects.filter(type=AccountType.asset).values_list("pk", flat=True))
    chance = random.Random(seed)
    Account.objects.get(pk=ids[0]).get_simple_balance()
    print("ready", flush=True)
    sys.stdin.readline()
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        payer_id, payee_id = chance.sample(ids, 2)
        amount = Money(chance.randint(1, 500), "EUR") / 100
        began = time.perf_counter()
        with transaction.atomic():
            rows = {
                row.pk: row
                for row in Account.objects.select_for_update().filter(pk__in=[payer_id, payee_id]).order_by("pk")
            }
            if rows[payer_id].get_simple_balance()["EUR"] < amount:
                raise SystemExit("there is too little")
            rows[payer_id].transfer_to(rows[payee_id], amount)
        took.append((time.perf_counter() - began) * 1000)
    print(json.dumps({"took_ms": took}))


if sys.argv[1] == "prepare":
    make(int(sys.argv[2]))
else:
    pay(float(sys.argv[1]), sys.argv[2])
