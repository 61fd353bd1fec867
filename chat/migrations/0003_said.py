"""What a person writes to a service account goes to the outbox in the message's own transaction: topic `chat.said`.

The trigger stands on the archive, which keeps every conversation with the bank: talk among friends never meets it.
"""

from django.db import migrations

SAID = """
CREATE FUNCTION chat_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kernel_outboxrow (topic, payload, run_at, attempts, last_error)
    SELECT 'chat.said', jsonb_build_object(
        'message_id', NEW.message_id, 'conversation_id', NEW.conversation_id, 'sender_id', NEW.sender_id),
        clock_timestamp(), 0, ''
    FROM chat_conversation c JOIN accounts_person p ON p.id = NEW.sender_id
    WHERE c.id = NEW.conversation_id AND c.kind = 'official' AND p.kind <> 'official';
    RETURN NULL;
END $$;
CREATE TRIGGER chat_said AFTER INSERT ON chat_archiverow FOR EACH ROW
WHEN (NEW.event = 'said' AND NEW.kind = 'text') EXECUTE FUNCTION chat_said();
"""
DROP = "DROP TRIGGER chat_said ON chat_archiverow; DROP FUNCTION chat_said();"


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_engine"), ("accounts", "0001_initial"), ("kernel", "0002_roles")]
    operations = [migrations.RunSQL(SAID, DROP)]
