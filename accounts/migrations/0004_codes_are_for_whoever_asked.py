"""A code is used by whoever asked for it: strangers who try codes at a number do not use the owner's up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_staff_change")]

    operations = [
        # Codes on their way when this runs belong to nobody, and are asked for again.
        migrations.AddField(
            "onetimecode", "asked_by", models.BinaryField(default=b"", max_length=32), preserve_default=False
        ),
    ]
