"""The bank's own accounts, which every installation has."""

import hashlib

from django.db import migrations
from django.utils import timezone
from kernel.ids import new_id

ACCOUNTS = {
    "settlement": "清算备付金",
    "wealth-clearing": "理财申赎清算",
    "clearing-out": "跨行往账清算",
    "clearing-in": "跨行来账清算",
    "demo-opening": "期初余额",
}


def make(apps, schema_editor):
    Account = apps.get_model("ledger", "Account")
    for code, name in ACCOUNTS.items():
        Account.objects.get_or_create(
            code=code,
            defaults={
                "id": new_id(),
                "type": "internal",
                "name": name,
                "key": f"internal:{code}",
                "input_hash": hashlib.sha256(code.encode()).digest(),
                "opened_at": timezone.now(),
            },
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_posting")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
