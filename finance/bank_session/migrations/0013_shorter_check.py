"""A CHECK that every statement reads anew from its text gets shorter words, and what is written by a statement that has
just found the row is not asked a second time whether the row is there. Intents and bank sessions are never removed.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull
from psycopg import sql

NEW = Q(
    Exact(Q(state="prepared"), IsNull(F("ended_at"), True)),
    Exact(Q(state="executed"), IsNull(F("result"), False)),
    state__in=["prepared", "executed", "cancelled", "expired", "superseded"],
)
TABLE = "ALTER TABLE public.bank_session_intent"
# Each by itself: while the rows that there are, are looked at, others write.
SHORTER = [
    f"{TABLE} DROP CONSTRAINT IF EXISTS bank_intent_ended_anew",
    f"""{TABLE} ADD CONSTRAINT bank_intent_ended_anew CHECK (
        (state = 'prepared') = (ended_at IS NULL) AND (state = 'executed') = (result IS NOT NULL)
        AND state = ANY ('{{prepared,executed,cancelled,expired,superseded}}')
    ) NOT VALID""",
    f"{TABLE} VALIDATE CONSTRAINT bank_intent_ended_anew",
    f"{TABLE} DROP CONSTRAINT IF EXISTS bank_intent_ended",
    f"{TABLE} RENAME CONSTRAINT bank_intent_ended_anew TO bank_intent_ended",
]


def keep(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(sql.SQL("REVOKE DELETE, TRUNCATE ON bank_session_banksession FROM {}").format(role))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bank_session", "0012_whole_rows")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SHORTER, migrations.RunSQL.noop)],
            state_operations=[
                migrations.RemoveConstraint("intent", "bank_intent_ended"),
                migrations.AddConstraint("intent", models.CheckConstraint(name="bank_intent_ended", condition=NEW)),
            ],
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.AlterField(
            "handoff",
            "intent",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="bank_session.intent",
            ),
        ),
        migrations.AlterField(
            "confirmation",
            "intent",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="confirmation",
                to="bank_session.intent",
            ),
        ),
        migrations.AlterField(
            "confirmation",
            "bank_session",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="bank_session.banksession",
            ),
        ),
    ]
