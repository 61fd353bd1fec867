"""An intent with its statement is of about two kilobytes, which PostgreSQL would compress with every write; below four it
is left as it is. A person's passkeys had two indexes. Hand-offs and confirmations are held to the intent, and with it to
the person.
"""

from typing import Any

from django.conf import settings
from django.db import migrations, models


def of_the_intent(on_delete: Any) -> "models.ForeignKey[Any, Any]":
    """A person whom the database does not look up once more."""
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=on_delete, related_name="+", to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    dependencies = [
        ("bank_session", "0011_receipt_sweep"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE public.bank_session_intent SET (toast_tuple_target = 4080)",
            "ALTER TABLE public.bank_session_intent RESET (toast_tuple_target)",
        ),
        migrations.RunSQL(
            "ALTER TABLE public.bank_session_confirmation SET (toast_tuple_target = 4080)",
            "ALTER TABLE public.bank_session_confirmation RESET (toast_tuple_target)",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "DROP INDEX public.bank_session_passkey_person_id_f9e60b86",
                    "CREATE INDEX bank_session_passkey_person_id_f9e60b86 ON public.bank_session_passkey (person_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="passkey",
                    name="person",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                )
            ],
        ),
        migrations.AlterField("handoff", "person", of_the_intent(models.CASCADE)),
        migrations.AlterField("confirmation", "person", of_the_intent(models.PROTECT)),
    ]
