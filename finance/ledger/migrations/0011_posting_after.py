"""A posting has both its place in the account and the balance after it, or neither: `seq >= 1 AND balance >= 0` alone is
not false where one of them is missing, and a CHECK lets that pass.

Added without looking at the rows that there are, which are looked at afterwards without keeping anybody from posting.
"""

from django.db import migrations, models
from django.db.models import Q

TABLE = "ledger_posting"
NAME = "ledger_posting_after"
ADD = f"""
ALTER TABLE {TABLE} DROP CONSTRAINT {NAME};
ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} CHECK (
    (seq IS NULL AND balance_after_fen IS NULL)
    OR (seq IS NOT NULL AND balance_after_fen IS NOT NULL AND seq >= 1 AND balance_after_fen >= 0)
) NOT VALID;
"""
VALIDATE = f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT {NAME};"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ledger", "0010_ended_holds")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD), migrations.RunSQL(VALIDATE)],
            state_operations=[
                migrations.RemoveConstraint(model_name="posting", name=NAME),
                migrations.AddConstraint(
                    model_name="posting",
                    constraint=models.CheckConstraint(
                        name=NAME,
                        condition=Q(seq__isnull=True, balance_after_fen__isnull=True)
                        | Q(
                            seq__isnull=False,
                            balance_after_fen__isnull=False,
                            seq__gte=1,
                            balance_after_fen__gte=0,
                        ),
                    ),
                ),
            ],
        ),
    ]
