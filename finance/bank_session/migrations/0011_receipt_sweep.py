"""Up to where no receipt is missing. The server's role may insert and update it by the default rights."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bank_session", "0010_step_up")]
    operations = [
        migrations.CreateModel(
            name="ReceiptSweep",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("through", models.UUIDField()),
                ("missing", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
