from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a payer ever paid somebody is asked twice for each transfer: of those that were received alone."""

    dependencies = [
        ("payments", "0003_own_transfers"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="transfer", name="transfers_between"),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["payer", "payee"], name="transfers_received", condition=models.Q(("state", "received"))
            ),
        ),
    ]
