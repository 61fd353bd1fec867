"""What every message and every read mark calls is planned once for each connection.

PostgreSQL reads and plans the body of a function in SQL anew each time it is called, unless it can put it in the place
of the call; what plpgsql runs it plans once. That was half of what one message cost.

What is written to a service account goes to the outbox in the function that knows the conversation: a trigger, which looked
it up again for every message of every conversation, did little but that.
"""

from importlib import import_module

from django.db import migrations

# Gives `messages` numbers of seq and `changes` of version to each conversation; answers those before the first.
# The caller holds the rows (chat_lock).
ALLOCATE = """
CREATE OR REPLACE FUNCTION chat_allocate(ids uuid[], messages bigint[], changes bigint[])
RETURNS TABLE (id uuid, seq bigint, version bigint, archived boolean, member_version bigint)
LANGUAGE plpgsql VOLATILE ROWS 50 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY UPDATE chat_conversation c
    SET seq = c.seq + w.messages,
        version = c.version + w.changes,
        active_at = CASE WHEN w.messages > 0 THEN clock_timestamp() ELSE c.active_at END
    FROM unnest(ids, messages, changes) AS w(id, messages, changes)
    WHERE c.id = w.id
    RETURNING c.id, c.seq - w.messages, c.version - w.changes, c.archived, c.member_version;
END $$;
"""

# What others said to a member after what they have read, counted to 100 and no further.
UNREAD = """
CREATE OR REPLACE FUNCTION chat_unread(conversation uuid, member uuid, after bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*) FROM (
        SELECT 1 FROM chat_message
        WHERE conversation_id = conversation AND seq > after AND sender_id <> member AND kind <> 'notice'
            AND recalled_at IS NULL
        ORDER BY seq LIMIT 100) seen);
END $$;
"""

# Appends a batch of messages. Each item: o (order), id, c (conversation), s (sender), k (client id), kind, body,
# n (notice), w (warning), p (picture), d (card), at, h (the house's), e (the session it came by, if it came by a socket).
# Answers one item each with r (outcome):
#   new      written            again   was there already (the same sender and client id)
#   twin     another item of this batch has that client id: ask again
#   busy     somebody holds the conversation, and the caller is not patient: ask again
#   refused  no such conversation, or the sender is not in it
#   ended    the session is over, or its person's sessions are: nothing of it is written any more
#   barred   the sender may read and not write there; `why` says the reason. What the house shows (h) goes through
# A trusted caller has answered for the sender. Conversations are locked before anything is looked at, so that what is
# looked at is what the lock found. They are numbered by their update, not by chat_allocate: a function's answer would be
# kept in a table of its own first. A lone message, which is what nearly every batch is until a server is busy, is written
# by statements of one row: a statement that moves rows from one part of it to the next takes longer to begin than to run.
# The planner is kept to the indexes: a plan made while the tables are small would scan them when they have grown.
JUDGED = """
        SELECT a.*, b.id AS old_id, b.seq AS old_seq, b.version AS old_version, b.at AS old_at,
            coalesce(m.barred, '') AS why,
            CASE WHEN a.e IS NOT NULL AND (p.id IS NULL OR e.ended_at IS NOT NULL OR e.epoch <> p.session_epoch
                     OR NOT p.is_active) THEN 'ended'
                 WHEN b.id IS NOT NULL THEN 'again'
                 WHEN NOT trusted AND m.id IS NULL THEN 'refused'
                 WHEN NOT trusted AND NOT coalesce(a.h, false) AND m.barred <> '' THEN 'barred'
                 WHEN a.c <> ALL(held) THEN CASE WHEN patient THEN 'refused' ELSE 'busy' END
                 {twin}
                 ELSE 'new' END AS r
        {into}
        FROM jsonb_to_recordset(batch) AS a(
            o integer, id uuid, c uuid, s uuid, k uuid, kind text, body text, n jsonb, w text, p uuid, d bigint,
            at timestamptz, h boolean, e uuid)
        LEFT JOIN chat_member m ON m.conversation_id = a.c AND m.person_id = a.s
        LEFT JOIN chat_message b
            ON b.conversation_id = a.c AND b.client_id = a.k AND b.sender_id IS NOT DISTINCT FROM a.s
        LEFT JOIN accounts_devicesession e ON e.id = a.e
        LEFT JOIN accounts_person p ON p.id = e.person_id"""
LOCK = "SELECT ARRAY[id] FROM chat_conversation WHERE id = (batch->0->>'c')::uuid FOR NO KEY UPDATE"
ONE = JUDGED.format(into="INTO one", twin="")
ALL = JUDGED.format(into="", twin="WHEN row_number() OVER (PARTITION BY a.c, a.k, a.s ORDER BY a.o) > 1 THEN 'twin'")

MESSAGE = """
            INSERT INTO chat_message (
                id, conversation_id, seq, version, client_id, sender_id, kind, text, notice, warning, picture_id,
                card_id, at)"""
ARCHIVED = """
            INSERT INTO chat_archiverow (
                event, message_id, conversation_id, seq, version, sender_id, kind, text, notice, picture_id, card, at)"""
OUTBOX = """
            INSERT INTO kernel_outboxrow (topic, payload, run_at, attempts, last_error)"""
# Topic `chat.said`: {row}, which came to a service account from somebody who is none.
SAID = """
            SELECT 'chat.said',
                jsonb_build_object('message_id', {row}.id, 'conversation_id', {row}.c, 'sender_id', {row}.s),
                clock_timestamp(), 0, ''
            FROM {source}
            WHERE p.id = {row}.s AND p.kind <> 'official'"""
CARD = """
                (SELECT jsonb_build_object('kind', d.kind, 'ref', d.ref, 'state', d.state, 'payload', d.payload,
                                           'revision', d.revision)
                 FROM chat_card d WHERE d.id = {card})"""

APPEND = f"""
CREATE OR REPLACE FUNCTION chat_append(batch jsonb, patient boolean, trusted boolean) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    held uuid[];
    one record;
    numbers record;
    said_at timestamptz;
    answer jsonb;
BEGIN
    IF jsonb_array_length(batch) = 1 THEN
        IF patient THEN
            {LOCK} INTO held;
        ELSE
            {LOCK} SKIP LOCKED INTO held;
        END IF;
        held := coalesce(held, '{{}}');
        {ONE};
        IF one.r <> 'new' THEN
            RETURN jsonb_build_array(jsonb_build_object(
                'o', one.o, 'r', one.r, 'id', one.old_id, 'seq', one.old_seq, 'version', one.old_version,
                'at', one.old_at, 'mv', NULL, 'why', one.why));
        END IF;
        said_at := coalesce(one.at, clock_timestamp());
        UPDATE chat_conversation c SET seq = c.seq + 1, version = c.version + 1, active_at = clock_timestamp()
            WHERE c.id = one.c
            RETURNING c.seq, c.version, c.archived, c.member_version, c.kind = 'official' AS official INTO numbers;
        {MESSAGE}
            VALUES (one.id, one.c, numbers.seq, numbers.version, one.k, one.s, one.kind, one.body, one.n, one.w, one.p,
                one.d, said_at);
        IF numbers.archived THEN
            {ARCHIVED}
            VALUES ('said', one.id, one.c, numbers.seq, numbers.version, one.s, one.kind, one.body, one.n, one.p,
                {CARD.format(card="one.d")}, said_at);
            IF numbers.official AND one.kind = 'text' THEN
                {OUTBOX} {SAID.format(row="one", source="accounts_person p")};
            END IF;
        END IF;
        RETURN jsonb_build_array(jsonb_build_object(
            'o', one.o, 'r', 'new', 'id', one.id, 'seq', numbers.seq, 'version', numbers.version, 'at', said_at,
            'mv', numbers.member_version, 'why', one.why));
    END IF;

    IF patient THEN
        SELECT array_agg(c.id) INTO held FROM (
            SELECT id FROM chat_conversation
            WHERE id = ANY(ARRAY(SELECT (item->>'c')::uuid FROM jsonb_array_elements(batch) item))
            ORDER BY id FOR NO KEY UPDATE) c;
    ELSE
        SELECT array_agg(c.id) INTO held FROM (
            SELECT id FROM chat_conversation
            WHERE id = ANY(ARRAY(SELECT (item->>'c')::uuid FROM jsonb_array_elements(batch) item))
            FOR NO KEY UPDATE SKIP LOCKED) c;
    END IF;
    held := coalesce(held, '{{}}');

    WITH judged AS MATERIALIZED ({ALL}
    ), given AS (
        UPDATE chat_conversation c
        SET seq = c.seq + w.n, version = c.version + w.n, active_at = clock_timestamp()
        FROM (SELECT c AS id, count(*) AS n FROM judged WHERE r = 'new' GROUP BY c) w
        WHERE c.id = w.id
        RETURNING c.id, c.seq - w.n AS seq, c.version - w.n AS version, c.archived, c.member_version,
            c.kind = 'official' AS official
    ), numbered AS MATERIALIZED (
        -- What is new has its numbers here, so that nothing looks up in what was written what is known already.
        SELECT j.*, g.member_version AS mv, g.archived, g.official,
            g.seq + row_number() OVER per AS seq, g.version + row_number() OVER per AS version,
            coalesce(j.at, clock_timestamp()) AS said
        FROM judged j LEFT JOIN given g ON g.id = j.c AND j.r = 'new'
        WINDOW per AS (PARTITION BY g.id ORDER BY j.o)
    ), written AS ({MESSAGE}
        SELECT id, c, seq, version, k, s, kind, body, n, w, p, d, said FROM numbered WHERE r = 'new' ORDER BY o
    ), kept AS ({ARCHIVED}
        SELECT 'said', m.id, m.c, m.seq, m.version, m.s, m.kind, m.body, m.n, m.p,
            {CARD.format(card="m.d")}, m.said
        FROM numbered m WHERE m.r = 'new' AND m.archived ORDER BY m.o
    ), told AS ({OUTBOX} {SAID.format(row="m", source="numbered m, accounts_person p")}
            AND m.r = 'new' AND m.archived AND m.official AND m.kind = 'text'
        ORDER BY m.o
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'o', o, 'r', r, 'id', CASE WHEN r = 'new' THEN id ELSE old_id END,
        'seq', CASE WHEN r = 'new' THEN seq ELSE old_seq END,
        'version', CASE WHEN r = 'new' THEN version ELSE old_version END,
        'at', CASE WHEN r = 'new' THEN said ELSE old_at END, 'mv', mv, 'why', why)
        ORDER BY o), '[]')
    INTO answer FROM numbered;
    RETURN answer;
END $$;
"""  # noqa: S608 - put together of the parts above alone

DROP = "DROP TRIGGER chat_said ON chat_archiverow; DROP FUNCTION chat_said();"
TRIGGER = str(import_module("chat.migrations.0003_said").SAID)
EARLIER = str(import_module("chat.migrations.0009_straight_batches").APPEND)


class Migration(migrations.Migration):
    dependencies = [("chat", "0009_straight_batches")]
    operations = [
        migrations.RunSQL(ALLOCATE, migrations.RunSQL.noop),
        migrations.RunSQL(UNREAD, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND, EARLIER),
        migrations.RunSQL(DROP, TRIGGER),
    ]
