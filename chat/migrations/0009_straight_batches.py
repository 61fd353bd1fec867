"""A batch is written without being joined with itself: its cost grew with the square of its length."""

from importlib import import_module

from django.db import migrations

# Appends a batch of messages. Each item: o (order), id, c (conversation), s (sender), k (client id), kind, body,
# n (notice), w (warning), p (picture), d (card), at, h (the house's), e (the session it came by, if it came by a socket).
# Answers one item each with r (outcome):
#   new      written            again   was there already (the same sender and client id)
#   twin     another item of this batch has that client id: ask again
#   busy     somebody holds the conversation, and the caller is not patient: ask again
#   refused  no such conversation, or the sender is not in it
#   ended    the session is over, or its person's sessions are: nothing of it is written any more
#   barred   the sender may read and not write there; `why` says the reason. What the house shows (h) goes through
# A trusted caller has answered for the sender. The planner is kept to the indexes: a plan made while the tables
# are small would scan them when they have grown.
APPEND = """
CREATE OR REPLACE FUNCTION chat_append(batch jsonb, patient boolean, trusted boolean) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    held uuid[];
    answer jsonb;
BEGIN
    held := chat_lock(ARRAY(SELECT DISTINCT (item->>'c')::uuid FROM jsonb_array_elements(batch) item), patient);
    WITH asked AS (
        SELECT * FROM jsonb_to_recordset(batch) AS item(
            o integer, id uuid, c uuid, s uuid, k uuid, kind text, body text, n jsonb, w text, p uuid, d bigint,
            at timestamptz, h boolean, e uuid)
    ), judged AS MATERIALIZED (
        SELECT a.*, b.id AS old_id, b.seq AS old_seq, b.version AS old_version, b.at AS old_at,
            coalesce(m.barred, '') AS why,
            CASE WHEN a.e IS NOT NULL AND (p.id IS NULL OR e.ended_at IS NOT NULL OR e.epoch <> p.session_epoch
                     OR NOT p.is_active) THEN 'ended'
                 WHEN b.id IS NOT NULL THEN 'again'
                 WHEN NOT trusted AND m.id IS NULL THEN 'refused'
                 WHEN NOT trusted AND NOT coalesce(a.h, false) AND m.barred <> '' THEN 'barred'
                 WHEN a.c <> ALL(held) THEN CASE WHEN patient THEN 'refused' ELSE 'busy' END
                 WHEN row_number() OVER (PARTITION BY a.c, a.k, a.s ORDER BY a.o) > 1 THEN 'twin'
                 ELSE 'new' END AS r
        FROM asked a
        LEFT JOIN chat_member m ON m.conversation_id = a.c AND m.person_id = a.s
        LEFT JOIN chat_message b
            ON b.conversation_id = a.c AND b.client_id = a.k AND b.sender_id IS NOT DISTINCT FROM a.s
        LEFT JOIN accounts_devicesession e ON e.id = a.e
        LEFT JOIN accounts_person p ON p.id = e.person_id
    ), wanted AS (
        SELECT array_agg(c) AS ids, array_agg(n) AS counts
        FROM (SELECT c, count(*) AS n FROM judged WHERE r = 'new' GROUP BY c) per
    ), given AS MATERIALIZED (
        SELECT g.* FROM wanted, chat_allocate(wanted.ids, wanted.counts, wanted.counts) g
    ), numbered AS MATERIALIZED (
        -- What is new has its numbers here, so that nothing looks up in what was written what is known already.
        SELECT j.*, g.member_version AS mv, g.archived,
            g.seq + row_number() OVER per AS seq, g.version + row_number() OVER per AS version,
            coalesce(j.at, clock_timestamp()) AS said_at
        FROM judged j LEFT JOIN given g ON g.id = j.c
        WINDOW per AS (PARTITION BY j.c, j.r = 'new' ORDER BY j.o)
    ), written AS (
        INSERT INTO chat_message (
            id, conversation_id, seq, version, client_id, sender_id, kind, text, notice, warning, picture_id,
            card_id, at)
        SELECT id, c, seq, version, k, s, kind, body, n, w, p, d, said_at FROM numbered WHERE r = 'new' ORDER BY o
    ), kept AS (
        INSERT INTO chat_archiverow (
            event, message_id, conversation_id, seq, version, sender_id, kind, text, notice, picture_id, card, at)
        SELECT 'said', m.id, m.c, m.seq, m.version, m.s, m.kind, m.body, m.n, m.p,
            (SELECT jsonb_build_object('kind', d.kind, 'ref', d.ref, 'state', d.state, 'payload', d.payload,
                                       'revision', d.revision)
             FROM chat_card d WHERE d.id = m.d),
            m.said_at
        FROM numbered m WHERE m.r = 'new' AND m.archived ORDER BY m.o
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'o', o, 'r', r, 'id', CASE WHEN r = 'new' THEN id ELSE old_id END,
        'seq', CASE WHEN r = 'new' THEN seq ELSE old_seq END,
        'version', CASE WHEN r = 'new' THEN version ELSE old_version END,
        'at', CASE WHEN r = 'new' THEN said_at ELSE old_at END, 'mv', mv, 'why', why)
        ORDER BY o), '[]')
    INTO answer FROM numbered;
    RETURN answer;
END $$;
"""

WITHOUT = str(import_module("chat.migrations.0008_ended_sessions").APPEND)


class Migration(migrations.Migration):
    dependencies = [("chat", "0008_ended_sessions")]
    operations = [migrations.RunSQL(APPEND, WITHOUT)]
