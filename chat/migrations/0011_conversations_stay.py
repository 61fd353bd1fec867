"""A message's conversation is not looked up a second time: chat_append has just changed its row, and nobody else writes
messages. What was looked up for each of them is said once: the server may not remove a conversation.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from psycopg import sql


def _say(words):
    def run(apps, schema_editor):
        role = sql.Identifier(settings.APP_DATABASE_ROLE)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(sql.SQL(words).format(role))

    return run


class Migration(migrations.Migration):
    dependencies = [("chat", "0010_planned_once"), ("kernel", "0002_roles")]
    operations = [
        migrations.RunPython(
            _say("REVOKE DELETE, TRUNCATE ON chat_conversation FROM {}"),
            _say("GRANT DELETE ON chat_conversation TO {}"),
        ),
        migrations.AlterField(
            "message",
            "conversation",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="chat.conversation",
            ),
        ),
    ]
