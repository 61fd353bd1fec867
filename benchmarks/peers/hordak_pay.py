"""django-hordak with a row lock and a balance check, on the same PostgreSQL.

python hordak_pay.py prepare ACCOUNTS makes them, with money; python hordak_pay.py SECONDS SEED transfers until the time
is up; python hordak_pay.py check prints what its books say. Reads DATABASE_URL; runs on the packages of its own folder
(pyproject's group `benchmarks`).
"""

import json
import os
import random
import sys
import time
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import django
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
# On a Unix socket, place and port stand behind the question mark.
socket = parse_qs(url.query)
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
            "HOST": url.hostname or socket["host"][0],
            "PORT": url.port or socket["port"][0],
        }
    },
)
django.setup()

from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from hordak.models import Account, AccountType, Transaction
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


def check() -> None:
    """How many transfers there are, how many of them do not add up, and what all customers and the source have."""
    sums = Sum("legs__credit", default=Decimal()) - Sum("legs__debit", default=Decimal())
    unequal = Transaction.objects.annotate(left=sums).exclude(left=0).count()
    customers = [each.get_simple_balance() for each in Account.objects.filter(type=AccountType.asset)]
    source = Account.objects.get(type=AccountType.equity).get_simple_balance()
    said = {
        "transfers": Transaction.objects.count(),
        "unequal": unequal,
        "customers": str(sum(each["EUR"].amount for each in customers)),
        "source": str(source["EUR"].amount),
    }
    print(json.dumps(said))


if sys.argv[1] == "prepare":
    make(int(sys.argv[2]))
elif sys.argv[1] == "check":
    check()
else:
    pay(float(sys.argv[1]), sys.argv[2])
