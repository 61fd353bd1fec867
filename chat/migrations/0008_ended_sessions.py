"""What a socket's session is worth is looked at where its messages are written: a push that was lost hid its end."""

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
        'version', coalesce(j.old_version, w.version), 'at', coalesce(j.old_at, w.at), 'mv', g.member_version,
        'why', j.why)
        ORDER BY j.o), '[]')
    INTO answer
    FROM judged j LEFT JOIN written w ON w.id = j.id AND j.r = 'new' LEFT JOIN given g ON g.id = j.c;
    RETURN answer;
END $$;
"""

WITHOUT = str(import_module("chat.migrations.0005_barred").APPEND)


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_one_index_less"), ("accounts", "0001_initial")]
    operations = [migrations.RunSQL(APPEND, WITHOUT)]
