"""Which keys have signed receipts. Added to, never changed by the server."""

from django.conf import settings
from django.db import migrations, models
from psycopg import sql


def keep(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        statement = "REVOKE UPDATE, DELETE, TRUNCATE ON bank_session_signingkey FROM {}"
        cursor.execute(sql.SQL(statement).format(role))


class Migration(migrations.Migration):
    dependencies = [("bank_session", "0007_device_tokens")]
    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("key_id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("algorithm", models.CharField(max_length=20)),
                ("public_key", models.TextField()),
                ("first_used_at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
