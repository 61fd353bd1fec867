"""What a transfer costs in the database, brought down; what it proves stays.

PostgreSQL reads a CHECK anew from its text in every statement that writes the table: six become two, of fewer words. The
payer is the intent's, which has the transfer's id and is held to the person; the account is the hold's, whose function
finds it, and is never removed.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull

MOVES = Q(amount_fen__gt=0, revision__gte=0) & ~Q(payer=F("payee"))
STATE = Q(
    Exact(Q(state="pending"), IsNull(F("finished_at"), True)),
    Exact(Q(state__in=["received", "reversed"]), IsNull(F("to_account"), False)),
    Exact(Q(state="reversed"), IsNull(F("reversed_at"), False)),
)
TABLE = "ALTER TABLE public.payments_transfer"
EARLIER = ["transfer_is_positive", "transfer_to_another", "payments_transfer_revision_check"]
EARLIER += ["finished_has_its_time", "received_names_its_account", "reversed_has_its_time"]
# Each by itself: while the rows that there are, are looked at, others write.
SHORTER = [
    f"{TABLE} DROP CONSTRAINT IF EXISTS transfer_moves, DROP CONSTRAINT IF EXISTS transfer_state",
    f"""{TABLE} ADD CONSTRAINT transfer_moves CHECK (
        amount_fen > 0 AND revision >= 0 AND payer_id <> payee_id
    ) NOT VALID, ADD CONSTRAINT transfer_state CHECK (
        (state = 'pending') = (finished_at IS NULL)
        AND (state = ANY ('{{received,reversed}}')) = (to_account_id IS NOT NULL)
        AND (state = 'reversed') = (reversed_at IS NOT NULL)
    ) NOT VALID""",
    f"{TABLE} VALIDATE CONSTRAINT transfer_moves",
    f"{TABLE} VALIDATE CONSTRAINT transfer_state",
    f"{TABLE} " + ", ".join(f"DROP CONSTRAINT IF EXISTS {name}" for name in EARLIER),
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("payments", "0007_uses_held_by_counters"),
        ("ledger", "0013_posting_after_held"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SHORTER, migrations.RunSQL.noop)],
            state_operations=[
                *(migrations.RemoveConstraint("transfer", name) for name in EARLIER if "revision" not in name),
                migrations.AlterField("transfer", "revision", models.SmallIntegerField(default=1)),
                migrations.AddConstraint("transfer", models.CheckConstraint(name="transfer_moves", condition=MOVES)),
                migrations.AddConstraint("transfer", models.CheckConstraint(name="transfer_state", condition=STATE)),
            ],
        ),
        migrations.AlterField(
            "transfer",
            "payer",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "transfer",
            "from_account",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.account",
            ),
        ),
    ]
