"""A session's token changes at the first proof in it; until then it is for one intent. Servers of before leave the three
empty, which means what it meant to them: any intent of the sign-in, one token."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bank_session", "0009_without_unread_indexes")]
    operations = [
        migrations.AddField("banksession", "intent_id", models.UUIDField(null=True)),
        migrations.AddField("banksession", "proved_at", models.DateTimeField(null=True)),
        migrations.AddField("banksession", "earlier_hash", models.BinaryField(max_length=32, null=True)),
    ]
