"""A verified device has a token of the bank's own page. Devices from before are verified anew, once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bank_session", "0006_passkeys_count")]
    operations = [
        migrations.AddField("verifieddevice", "token_hash", models.BinaryField(max_length=32, null=True)),
        migrations.AddField("banksession", "device_known", models.BooleanField(db_default=False, default=False)),
    ]
