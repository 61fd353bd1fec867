"""The one allocator of numbers, and what writes through it: chat_append, chat_touch, chat_mark_read."""

from django.conf import settings
from django.db import migrations
from psycopg import sql

# Waits for the rows in order of id if patient; else takes only those that nobody holds.
LOCK = """
CREATE FUNCTION chat_lock(ids uuid[], patient boolean) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE held uuid[];
BEGIN
    IF patient THEN
        SELECT array_agg(c.id) INTO held FROM (
            SELECT id FROM chat_conversation WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE) c;
    ELSE
        SELECT array_agg(c.id) INTO held FROM (
            SELECT id FROM chat_conversation WHERE id = ANY(ids) FOR NO KEY UPDATE SKIP LOCKED) c;
    END IF;
    RETURN coalesce(held, '{}');
END $$;
"""

# Gives `messages` numbers of seq and `changes` of version to each conversation; answers those before the first.
# The caller holds the rows (chat_lock).
ALLOCATE = """
CREATE FUNCTION chat_allocate(ids uuid[], messages bigint[], changes bigint[])
RETURNS TABLE (id uuid, seq bigint, version bigint, archived boolean, member_version bigint)
LANGUAGE sql VOLATILE ROWS 50 AS $$
    UPDATE chat_conversation c
    SET seq = c.seq + w.messages,
        version = c.version + w.changes,
        active_at = CASE WHEN w.messages > 0 THEN clock_timestamp() ELSE c.active_at END
    FROM unnest(ids, messages, changes) AS w(id, messages, changes)
    WHERE c.id = w.id
    RETURNING c.id, c.seq - w.messages, c.version - w.changes, c.archived, c.member_version
$$;
"""

# Appends a batch of messages. Each item: o (order), id, c (conversation), s (sender), k (client id), kind, body,
# n (notice), w (warning), p (picture), d (card), at. Answers one item each with r (outcome):
#   new      written            again   was there already (the same sender and client id)
#   twin     another item of this batch has that client id: ask again
#   busy     somebody holds the conversation, and the caller is not patient: ask again
#   refused  no such conversation, or the sender is not in it
# A trusted caller has answered for the sender. The planner is kept to the indexes: a plan made while the tables
# are small would scan them when they have grown.
APPEND = """
CREATE FUNCTION chat_append(batch jsonb, patient boolean, trusted boolean) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    held uuid[];
    answer jsonb;
BEGIN
    held := chat_lock(ARRAY(SELECT DISTINCT (item->>'c')::uuid FROM jsonb_array_elements(batch) item), patient);
    WITH asked AS (
        SELECT * FROM jsonb_to_recordset(batch) AS item(
            o integer, id uuid, c uuid, s uuid, k uuid, kind text, body text, n jsonb, w text, p uuid, d bigint,
            at timestamptz)
    ), judged AS MATERIALIZED (
        SELECT a.*, b.id AS old_id, b.seq AS old_seq, b.version AS old_version, b.at AS old_at,
            CASE WHEN b.id IS NOT NULL THEN 'again'
                 WHEN NOT trusted AND m.id IS NULL THEN 'refused'
                 WHEN a.c <> ALL(held) THEN CASE WHEN patient THEN 'refused' ELSE 'busy' END
                 WHEN row_number() OVER (PARTITION BY a.c, a.k, a.s ORDER BY a.o) > 1 THEN 'twin'
                 ELSE 'new' END AS r
        FROM asked a
        LEFT JOIN chat_member m ON m.conversation_id = a.c AND m.person_id = a.s
        LEFT JOIN chat_message b
            ON b.conversation_id = a.c AND b.client_id = a.k AND b.sender_id IS NOT DISTINCT FROM a.s
    ), wanted AS (
        SELECT array_agg(c) AS ids, array_agg(n) AS counts
        FROM (SELECT c, count(*) AS n FROM judged WHERE r = 'new' GROUP BY c) per
    ), given AS MATERIALIZED (
        SELECT g.* FROM wanted, chat_allocate(wanted.ids, wanted.counts, wanted.counts) g
    ), written AS (
        INSERT INTO chat_message (
            id, conversation_id, seq, version, client_id, sender_id, kind, text, notice, warning, picture_id,
            card_id, at)
        SELECT j.id, j.c, g.seq + row_number() OVER per, g.version + row_number() OVER per, j.k, j.s, j.kind, j.body,
            j.n, j.w, j.p, j.d, coalesce(j.at, clock_timestamp())
        FROM judged j JOIN given g ON g.id = j.c
        WHERE j.r = 'new'
        WINDOW per AS (PARTITION BY j.c ORDER BY j.o)
        RETURNING id, conversation_id, seq, version, sender_id, kind, text, notice, picture_id, card_id, at
    ), kept AS (
        INSERT INTO chat_archiverow (
            event, message_id, conversation_id, seq, version, sender_id, kind, text, notice, picture_id, card, at)
        SELECT 'said', w.id, w.conversation_id, w.seq, w.version, w.sender_id, w.kind, w.text, w.notice, w.picture_id,
            (SELECT jsonb_build_object('kind', d.kind, 'ref', d.ref, 'state', d.state, 'payload', d.payload,
                                       'revision', d.revision)
             FROM chat_card d WHERE d.id = w.card_id),
            w.at
        FROM written w JOIN given g ON g.id = w.conversation_id
        WHERE g.archived
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'o', j.o, 'r', j.r, 'id', coalesce(j.old_id, w.id), 'seq', coalesce(j.old_seq, w.seq),
        'version', coalesce(j.old_version, w.version), 'at', coalesce(j.old_at, w.at), 'mv', g.member_version)
        ORDER BY j.o), '[]')
    INTO answer
    FROM judged j LEFT JOIN written w ON w.id = j.id AND j.r = 'new' LEFT JOIN given g ON g.id = j.c;
    RETURN answer;
END $$;
"""

# Gives each of these messages a new version. Answers [{id, c, version, mv}].
TOUCH = """
CREATE FUNCTION chat_touch(message_ids uuid[], archive_event text) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM chat_lock(
        ARRAY(SELECT DISTINCT conversation_id FROM chat_message WHERE id = ANY(message_ids)), true);
    WITH wanted AS (
        SELECT array_agg(c) AS ids, array_agg(0::bigint) AS none, array_agg(n) AS counts
        FROM (SELECT conversation_id AS c, count(*) AS n
              FROM chat_message WHERE id = ANY(message_ids) GROUP BY conversation_id) per
    ), given AS MATERIALIZED (
        SELECT g.* FROM wanted, chat_allocate(wanted.ids, wanted.none, wanted.counts) g
    ), numbered AS (
        SELECT m.id, g.version + row_number() OVER (PARTITION BY m.conversation_id ORDER BY m.seq) AS version
        FROM chat_message m JOIN given g ON g.id = m.conversation_id
        WHERE m.id = ANY(message_ids)
    ), written AS (
        UPDATE chat_message m SET version = n.version FROM numbered n WHERE m.id = n.id
        RETURNING m.id, m.conversation_id, m.seq, m.version, m.sender_id, m.kind, m.text, m.notice, m.picture_id,
            m.card_id
    ), kept AS (
        INSERT INTO chat_archiverow (
            event, message_id, conversation_id, seq, version, sender_id, kind, text, notice, picture_id, card, at)
        SELECT archive_event, w.id, w.conversation_id, w.seq, w.version, w.sender_id, w.kind, w.text, w.notice,
            w.picture_id,
            (SELECT jsonb_build_object('kind', d.kind, 'ref', d.ref, 'state', d.state, 'payload', d.payload,
                                       'revision', d.revision)
             FROM chat_card d WHERE d.id = w.card_id),
            clock_timestamp()
        FROM written w JOIN given g ON g.id = w.conversation_id
        WHERE g.archived
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', w.id, 'c', w.conversation_id, 'version', w.version, 'mv', g.member_version)
        ORDER BY w.conversation_id, w.version), '[]')
    INTO answer
    FROM written w JOIN given g ON g.id = w.conversation_id;
    RETURN answer;
END $$;
"""

# What others said to a member after what they have read, counted to 100 and no further.
UNREAD = """
CREATE FUNCTION chat_unread(conversation uuid, member uuid, after bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM (
        SELECT 1 FROM chat_message
        WHERE conversation_id = conversation AND seq > after AND sender_id <> member AND kind <> 'notice'
            AND recalled_at IS NULL
        ORDER BY seq LIMIT 100) seen
$$;
"""

# Moves read marks on, never back. Each item: o, c, s (the reader), seq. Answers [{o, seq, unread}] of those who are
# members; notes that the archive notice was shown to whoever has read past it.
MARK_READ = """
CREATE FUNCTION chat_mark_read(batch jsonb) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM 1 FROM chat_member m
    JOIN jsonb_to_recordset(batch) AS item(c uuid, s uuid) ON m.conversation_id = item.c AND m.person_id = item.s
    ORDER BY m.id FOR NO KEY UPDATE OF m;
    WITH asked AS (
        SELECT c, s, max(seq) AS seq, max(o) AS o
        FROM jsonb_to_recordset(batch) AS item(o integer, c uuid, s uuid, seq bigint) GROUP BY c, s
    ), moved AS (
        UPDATE chat_member m SET read_seq = greatest(m.read_seq, least(a.seq, v.seq))
        FROM asked a JOIN chat_conversation v ON v.id = a.c
        WHERE m.conversation_id = a.c AND m.person_id = a.s
        RETURNING a.o, m.conversation_id, m.person_id, m.read_seq, v.notice_seq, v.notice_version
    ), shown AS (
        INSERT INTO chat_noticeseen (conversation_id, person_id, version, at)
        SELECT conversation_id, person_id, notice_version, now() FROM moved
        WHERE notice_seq > 0 AND read_seq >= notice_seq
        ON CONFLICT DO NOTHING
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'o', o, 'seq', read_seq, 'unread', chat_unread(conversation_id, person_id, read_seq)) ORDER BY o), '[]')
    INTO answer FROM moved;
    RETURN answer;
END $$;
"""

DROP = """
DROP FUNCTION chat_mark_read(jsonb);
DROP FUNCTION chat_unread(uuid, uuid, bigint);
DROP FUNCTION chat_touch(uuid[], text);
DROP FUNCTION chat_append(jsonb, boolean, boolean);
DROP FUNCTION chat_allocate(uuid[], bigint[], bigint[]);
DROP FUNCTION chat_lock(uuid[], boolean);
"""


def keep(apps, schema_editor):
    name = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for table in ("chat_archiverow", "chat_noticeseen"):
            cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name))


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial"), ("kernel", "0002_roles")]
    operations = [
        migrations.RunSQL(LOCK + ALLOCATE + APPEND + TOUCH + UNREAD + MARK_READ, DROP),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
