"""Transfers and limits are found by their ids and keys; nothing reads these indexes."""

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
        ("ledger", "0008_past_and_reversals"),
        ("payments", "0004_transfers_received"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                index("transfers_to", "payments_transfer (payee_id, id DESC)"),
                index("payments_limitcounter_account_id_91800b08", "payments_limitcounter (account_id)"),
                index("payments_limituse_account_id_50b31fba", "payments_limituse (account_id)"),
                index("payments_limituse_key_195e8bb2_like", "payments_limituse (key varchar_pattern_ops)"),
                index("payments_transfer_from_account_id_cfb586f8", "payments_transfer (from_account_id)"),
                index("payments_transfer_to_account_id_813a0d0b", "payments_transfer (to_account_id)"),
                index("payments_transfer_payer_id_3ceaa757", "payments_transfer (payer_id)"),
                index("payments_transfer_payee_id_2b10fc26", "payments_transfer (payee_id)"),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="transfer", name="transfers_to"),
                unread("limitcounter", "account", "ledger.account"),
                unread("limituse", "account", "ledger.account"),
                unread("transfer", "from_account", "ledger.account"),
                unread("transfer", "to_account", "ledger.account", null=True),
                unread("transfer", "payer", settings.AUTH_USER_MODEL),
                unread("transfer", "payee", settings.AUTH_USER_MODEL),
            ],
        ),
    ]
