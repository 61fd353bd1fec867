"""A movement's use of the limits is written with the account's counters, which are held to the account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_reversed"), ("ledger", "0011_posting_after")]

    operations = [
        migrations.AlterField(
            model_name="limituse",
            name="account",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=models.PROTECT, related_name="+", to="ledger.account"
            ),
        )
    ]
