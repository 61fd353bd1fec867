"""Of a person's intents there is an index by time, and their confirmations are found by the intent."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def index(name: str, on: str) -> migrations.RunSQL:
    """Drops an index by its name: Django would drop and prove the foreign key anew, which reads the whole table."""
    return migrations.RunSQL(f"DROP INDEX public.{name}", f"CREATE INDEX {name} ON public.{on}")


def unread(model: str, field: str, to: str, *, null: bool = False) -> migrations.AlterField:
    """The foreign key as it is, without its index."""
    key = models.ForeignKey(
        db_index=False, null=null, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=to
    )
    return migrations.AlterField(model_name=model, name=field, field=key)


class Migration(migrations.Migration):
    dependencies = [
        ("bank_session", "0008_signing_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                index("bank_session_confirmation_person_id_9e440d91", "bank_session_confirmation (person_id)"),
                index("bank_session_intent_person_id_0fd05fc3", "bank_session_intent (person_id)"),
            ],
            state_operations=[
                unread("confirmation", "person", settings.AUTH_USER_MODEL),
                unread("intent", "person", settings.AUTH_USER_MODEL),
            ],
        ),
    ]
