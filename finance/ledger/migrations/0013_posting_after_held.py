"""Looks whether the postings that there are keep the CHECK of the migration before, while others are posting."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0012_posting_costs")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE public.ledger_posting VALIDATE CONSTRAINT ledger_posting_after;", migrations.RunSQL.noop
        ),
    ]
