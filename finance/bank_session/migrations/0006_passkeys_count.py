from datetime import UTC, datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    """Passkeys that are there count; those that come are told when they begin to."""

    dependencies = [("bank_session", "0005_receipts")]

    operations = [
        migrations.AddField(
            model_name="passkey",
            name="counts_from",
            field=models.DateTimeField(default=datetime(2000, 1, 1, tzinfo=UTC)),
            preserve_default=False,
        ),
    ]
