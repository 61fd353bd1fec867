"""Run in the product's environment: customers' accounts with money.

Their numbers are in bench_account, where 0 is one of the bank's own. A customer's account has its number for an id, so
that a script that draws a number need not look the id up: whoever posts has it, as the floor's script has.

python -m benchmarks.accounts COUNT
"""

import sys
from functools import partial
from unittest.mock import patch
from uuid import UUID

import django

django.setup()

from django.db import connection, transaction

from accounts.actions.registration import create_person
from finance.ledger import actions, queries

FUNDS_FEN = 100_000_000
ACCOUNTS_EACH = 100


def main() -> None:
    source = queries.internal("demo-opening").pk
    made: list[UUID] = []
    with transaction.atomic():
        for number in range(1, int(sys.argv[1]) + 1):
            if number % ACCOUNTS_EACH == 1:
                person = create_person(
                    kind="customer", phone=f"136{number:08d}", display_name=f"客户{number}", password=None
                )
            with patch.object(actions, "new_id", partial(UUID, int=number)):
                account = actions.open_account(
                    owner_id=person.pk,
                    account_type="customer",
                    account_class="I",
                    name="活期账户",
                    key=f"bench:{number}",
                )
            made.append(account.pk)
    for start in range(0, len(made), 500):
        entries = [
            actions.NewEntry(
                f"bench-fund:{account}",
                "opening",
                [actions.Leg(account, FUNDS_FEN), actions.Leg(source, -FUNDS_FEN)],
                "opening",
            )
            for account in made[start : start + 500]
        ]
        with transaction.atomic():
            actions.post_batch(entries, tell=False)
    made.insert(0, queries.internal("settlement").pk)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO bench_account VALUES (%s, %s)", list(enumerate(made)))


main()
