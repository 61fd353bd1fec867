"""Bars the conversations of two who were friends once: before, they could go on writing."""

from django.db import migrations

BAR = """
UPDATE chat_member m SET barred = 'no_longer_friends' FROM chat_conversation c
WHERE c.id = m.conversation_id AND c.kind = 'direct' AND NOT EXISTS (
    SELECT 1 FROM accounts_friendship f JOIN chat_member o ON o.person_id = f.friend_id
    WHERE f.person_id = m.person_id AND o.conversation_id = c.id);
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_barred")]
    operations = [migrations.RunSQL(BAR, migrations.RunSQL.noop)]
