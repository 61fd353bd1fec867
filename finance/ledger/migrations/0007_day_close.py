"""The end of the day and its trial balance, which is added to and not changed afterwards."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from psycopg import sql


def grant(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for statement in (
            "REVOKE UPDATE, DELETE, TRUNCATE ON ledger_dayclose, ledger_trialline FROM {}",
            "GRANT UPDATE (balances) ON ledger_dayclose TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(role))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_verification")]
    operations = [
        migrations.CreateModel(
            name="DayClose",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("since", models.BigIntegerField()),
                ("upto", models.BigIntegerField()),
                ("balances", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="TrialLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group", models.CharField(max_length=40)),
                ("opening_fen", models.BigIntegerField()),
                ("debit_fen", models.BigIntegerField()),
                ("credit_fen", models.BigIntegerField()),
                ("closing_fen", models.BigIntegerField()),
                (
                    "close",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="ledger.dayclose"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("close", "group"), name="ledger_trial_group"),
                ]
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
