"""Entries are proved where they are written: whole, in one statement, at its end.

A trigger for each row, a foreign key for each leg and a CHECK that is read anew by each statement cost more than the
posting itself. The same rules hold for sets now: one check for all postings of a statement, one for all its entries.
So `ledger_post` posts many for little more than one, and `ledger_post_two` has single-row statements for what is
posted most. `ledger_account_kind` is asked when the columns that it is about are written.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from psycopg import sql

ARRAYS = (
    "uuid[], text[], bytea[], text[], text[], uuid[], uuid[], timestamptz[], date[], smallint[], uuid[], uuid[], "
    "integer[], smallint[], uuid[], bigint[]"
)
TWO = "uuid, text, bytea, text, text, uuid, uuid, timestamptz, date, uuid, uuid, uuid, bigint"

GUARDS = """
DROP FUNCTION public.ledger_post;
DROP FUNCTION public.ledger_post_many;

DROP TRIGGER ledger_entry_zero_sum ON public.ledger_entry;
DROP FUNCTION public.ledger_entry_adds_up();
ALTER TABLE public.ledger_posting DROP CONSTRAINT ledger_posting_of_entry;
ALTER TABLE public.ledger_entry DROP CONSTRAINT ledger_entry_room;

-- Nobody looks keys up by their beginning.
DO $$
DECLARE
    v_index record;
BEGIN
    FOR v_index IN SELECT c.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
        WHERE x.indrelid IN ('public.ledger_entry'::regclass, 'public.ledger_hold'::regclass)
            AND c.relname LIKE '%key%\\_like'
    LOOP
        EXECUTE format('DROP INDEX public.%I', v_index.relname);
    END LOOP;
END $$;

CREATE FUNCTION public.ledger_account_is_one_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.type) IS DISTINCT FROM (OLD.id, OLD.type) THEN
        RAISE EXCEPTION 'account % stays what it is: postings name it', OLD.id USING ERRCODE = 'RL000';
    END IF;
    IF (CASE NEW.type
        WHEN 'customer' THEN NEW.owner_id IS NOT NULL AND NEW.account_class IS NOT NULL AND NEW.code IS NULL
            AND NEW.number IS NOT NULL AND NEW.number_index IS NOT NULL
        WHEN 'internal' THEN NEW.owner_id IS NULL AND NEW.account_class IS NULL AND NEW.code IS NOT NULL
            AND NEW.number IS NULL AND NEW.number_index IS NULL
        END) IS NOT TRUE THEN
        RAISE EXCEPTION 'account % is neither a customer''s nor one of the bank''s own', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_kind';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_account_kind
    BEFORE INSERT OR UPDATE OF id, type, owner_id, account_class, code, number, number_index
    ON public.ledger_account FOR EACH ROW EXECUTE FUNCTION public.ledger_account_is_one_kind();

-- All postings of an entry come in one statement: as many as the entry says, adding up to nothing, each on the side
-- that its account is on. Their places are unique and within the entry's, so a later statement finds none free.
CREATE FUNCTION public.ledger_postings_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_entry uuid;
    v_legs smallint;
    v_found bigint;
    v_sum numeric;
BEGIN
    -- Looked up once for each row (OFFSET 0 keeps it so): a join would be planned for the first statement that this
    -- session sees, and the next may be of another size.
    SELECT p.entry_id, p.said, count(*), sum(p.amount_fen) INTO v_entry, v_legs, v_found, v_sum
    FROM (
        SELECT n.entry_id, n.legs, n.amount_fen, n.seq,
            (SELECT e.legs FROM public.ledger_entry e WHERE e.id = n.entry_id) AS said,
            (SELECT a.type FROM public.ledger_account a WHERE a.id = n.account_id) AS side
        FROM added n OFFSET 0
    ) p
    GROUP BY p.entry_id, p.said
    HAVING count(*) IS DISTINCT FROM p.said OR sum(p.amount_fen) <> 0 OR bool_or(p.legs <> p.said)
        OR bool_or((p.side = 'customer') IS DISTINCT FROM (p.seq IS NOT NULL))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % has % of % legs and a sum of % fen, or a leg on the wrong side', v_entry, v_found,
            v_legs, v_sum USING ERRCODE = 'RL008';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_posting_zero_sum AFTER INSERT ON public.ledger_posting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_postings_add_up();

CREATE FUNCTION public.ledger_entries_are_full() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_entry uuid;
BEGIN
    SELECT e.id INTO v_entry FROM added e
        WHERE NOT EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = e.id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % has no legs: they come with it, in its own statement', v_entry
            USING ERRCODE = 'RL008';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_full AFTER INSERT ON public.ledger_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_entries_are_full();
"""

FUNCTIONS = """
-- In the place of an amount: says why the account does not take part. Never answers.
CREATE FUNCTION public.ledger_refused(p_account uuid, p_total bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.ledger_refuse(p_account, p_total);
    RETURN NULL;
END $$;

-- Posts one entry of two legs: p_fen from one account to another. The same rules as ledger_post.
-- The key is looked at last, where it costs nothing: a replay takes off again what it had added, under the same locks.
CREATE FUNCTION public.ledger_post_two(
    p_id uuid, p_key text, p_hash bytea, p_kind text, p_memo text, p_reference uuid, p_initiator uuid,
    p_at timestamptz, p_date date, p_reverses uuid, p_from uuid, p_to uuid, p_fen bigint,
    OUT entry_id uuid, OUT replayed boolean, OUT told boolean
) LANGUAGE plpgsql AS $$
DECLARE
    -- 1 is locked first: by its update, in order of id like everywhere.
    v_account_1 uuid := p_from;
    v_account_2 uuid := p_to;
    v_fen_1 bigint := -p_fen;
    v_fen_2 bigint := p_fen;
    v_leg_1 smallint := 1;
    v_leg_2 smallint := 2;
    v_balance_1 bigint;
    v_balance_2 bigint;
    v_seq_1 bigint;
    v_seq_2 bigint;
    v_refused uuid;
    v_hash bytea;
BEGIN
    IF p_from = p_to THEN
        RAISE EXCEPTION 'entry % has one account twice', p_id USING ERRCODE = 'RL008';
    END IF;
    -- A roll-up waits for those who are posting, and so knows the last posting that is in the books.
    PERFORM pg_advisory_xact_lock_shared(1818518642);

    IF p_to < p_from THEN
        v_account_1 := p_to;
        v_account_2 := p_from;
        v_fen_1 := p_fen;
        v_fen_2 := -p_fen;
        v_leg_1 := 2;
        v_leg_2 := 1;
    END IF;

    UPDATE public.ledger_account a SET balance_fen = a.balance_fen + v_fen_1, posted_count = a.posted_count + 1
        WHERE a.id = v_account_1 AND a.type = 'customer'
            AND (a.status = 'open' OR (a.status = 'frozen' AND v_fen_1 >= 0))
            AND a.balance_fen + v_fen_1 >= a.held_fen
            AND (a.ceiling_fen IS NULL OR v_fen_1 <= 0 OR a.balance_fen + v_fen_1 <= a.ceiling_fen)
        RETURNING a.balance_fen, a.posted_count INTO v_balance_1, v_seq_1;
    IF NOT FOUND THEN
        PERFORM FROM public.ledger_account a
            WHERE a.id = v_account_1 AND a.type = 'internal' AND a.status = 'open';
        IF NOT FOUND THEN
            v_refused := v_account_1;
        END IF;
    END IF;
    IF v_refused IS NULL THEN
        UPDATE public.ledger_account a SET balance_fen = a.balance_fen + v_fen_2, posted_count = a.posted_count + 1
            WHERE a.id = v_account_2 AND a.type = 'customer'
                AND (a.status = 'open' OR (a.status = 'frozen' AND v_fen_2 >= 0))
                AND a.balance_fen + v_fen_2 >= a.held_fen
                AND (a.ceiling_fen IS NULL OR v_fen_2 <= 0 OR a.balance_fen + v_fen_2 <= a.ceiling_fen)
            RETURNING a.balance_fen, a.posted_count INTO v_balance_2, v_seq_2;
        IF NOT FOUND THEN
            PERFORM FROM public.ledger_account a
                WHERE a.id = v_account_2 AND a.type = 'internal' AND a.status = 'open';
            IF NOT FOUND THEN
                v_refused := v_account_2;
            END IF;
        END IF;
    END IF;

    IF v_refused IS NULL THEN
        WITH fresh AS (
            INSERT INTO public.ledger_entry AS e (id, key, input_hash, kind, memo, reference, initiator_id, at,
                                                  value_date, legs, reverses_id)
            VALUES (p_id, p_key, p_hash, p_kind, p_memo, p_reference, p_initiator, p_at, p_date, 2, p_reverses)
            ON CONFLICT (key) DO NOTHING RETURNING e.id
        )
        INSERT INTO public.ledger_posting (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
        SELECT fresh.id, 2, l.leg, l.account, l.fen, p_at, l.seq, l.balance
        FROM fresh CROSS JOIN (VALUES (v_leg_1, v_account_1, v_fen_1, v_seq_1, v_balance_1),
                                      (v_leg_2, v_account_2, v_fen_2, v_seq_2, v_balance_2))
            AS l(leg, account, fen, seq, balance);
        IF FOUND THEN
            entry_id := p_id;
            replayed := false;
            told := v_seq_1 IS NOT NULL OR v_seq_2 IS NOT NULL;
            RETURN;
        END IF;
    END IF;

    SELECT e.id, e.input_hash INTO entry_id, v_hash FROM public.ledger_entry e WHERE e.key = p_key;
    IF NOT FOUND THEN
        PERFORM public.ledger_refuse(v_refused, CASE v_refused WHEN p_from THEN -p_fen ELSE p_fen END);
    END IF;
    IF v_hash <> p_hash THEN
        RAISE EXCEPTION 'key % was used for something else', p_key USING ERRCODE = 'RL004';
    END IF;
    UPDATE public.ledger_account a
        SET balance_fen = a.balance_fen - CASE a.id WHEN v_account_1 THEN v_fen_1 ELSE v_fen_2 END,
            posted_count = a.posted_count - 1
        WHERE (a.id = v_account_1 AND v_seq_1 IS NOT NULL) OR (a.id = v_account_2 AND v_seq_2 IS NOT NULL);
    replayed := true;
    told := false;
END $$;

-- Posts one or many entries, all or none. Entry arrays run in parallel; p_leg_entry says to which entry (1..n) a leg
-- belongs. A key that exists with the same hash is a replay and changes nothing; with another hash it is refused.
-- An entry with a hold captures it: the hold's account is debited by at most the amount held, and the hold ends.
-- Customers' accounts are locked in order of id; the bank's own are not locked at all.
CREATE FUNCTION public.ledger_post(
    p_ids uuid[], p_keys text[], p_hashes bytea[], p_kinds text[], p_memos text[], p_references uuid[],
    p_initiators uuid[], p_at timestamptz[], p_dates date[], p_legs smallint[], p_reverses uuid[], p_holds uuid[],
    p_leg_entry integer[], p_leg_no smallint[], p_leg_account uuid[], p_leg_amount bigint[]
) RETURNS TABLE (entry_id uuid, replayed boolean, told boolean)
-- The size of the arrays is not known when a plan is made, and a plan that reads all accounts outlives its reason.
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_key text;
    v_holds uuid[];
    v_taken bigint;
    v_fresh bigint;
    v_told uuid[];
    r record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1818518642);

    IF array_remove(p_holds, NULL) <> '{}' THEN
        PERFORM 1 FROM public.ledger_hold WHERE id = ANY (p_holds) ORDER BY id FOR NO KEY UPDATE;
        -- The hold's lock is held: whoever captured it under the same key has committed.
        SELECT array_agg(h.id) INTO v_holds FROM unnest(p_holds, p_keys) AS h(id, key)
            WHERE h.id IS NOT NULL AND NOT EXISTS (SELECT FROM public.ledger_entry e WHERE e.key = h.key);
        UPDATE public.ledger_hold h SET state = 'captured', closed_at = c.at, closed_key = c.key,
            closed_memo = c.memo, entry_id = c.entry
        FROM (
            SELECT e.hold, e.entry, e.key, e.memo, e.at, l.account, l.amount
            FROM unnest(p_ids, p_holds, p_keys, p_memos, p_at) WITH ORDINALITY
                AS e(entry, hold, key, memo, at, place)
            JOIN unnest(p_leg_entry, p_leg_account, p_leg_amount) AS l(place, account, amount)
                ON l.place = e.place
            WHERE e.hold = ANY (v_holds)
        ) c
        WHERE h.id = c.hold AND h.state = 'open' AND h.account_id = c.account
            AND c.amount BETWEEN -h.amount_fen AND -1;
        GET DIAGNOSTICS v_taken = ROW_COUNT;
        IF v_taken < cardinality(v_holds) THEN
            FOR r IN SELECT w.id, h.state FROM unnest(v_holds) AS w(id)
                LEFT JOIN public.ledger_hold h ON h.id = w.id
                WHERE h.entry_id IS NULL OR h.entry_id <> ALL (p_ids)
            LOOP
                RAISE EXCEPTION 'hold % is %', r.id, coalesce(r.state, 'unknown') USING ERRCODE = 'RL005',
                    DETAIL = json_build_object('state', coalesce(r.state, 'unknown'))::text;
            END LOOP;
            RAISE EXCEPTION 'a hold was named twice' USING ERRCODE = 'RL005',
                DETAIL = json_build_object('state', 'captured')::text;
        END IF;
    END IF;

    PERFORM 1 FROM public.ledger_account WHERE id = ANY (p_leg_account) AND type = 'customer'
        ORDER BY id FOR NO KEY UPDATE;

    WITH fresh AS (
        INSERT INTO public.ledger_entry AS e (id, key, input_hash, kind, memo, reference, initiator_id, at, value_date,
                                              legs, reverses_id)
        SELECT * FROM unnest(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references, p_initiators, p_at, p_dates,
                             p_legs, p_reverses) AS n(id, key) ORDER BY n.key
        ON CONFLICT (key) DO NOTHING RETURNING e.id
    ), leg AS MATERIALIZED (
        SELECT n.id AS entry, n.legs, n.at, l.no, l.account, l.amount, l.place
        FROM fresh
        JOIN unnest(p_ids, p_legs, p_at) WITH ORDINALITY AS n(id, legs, at, entry) ON n.id = fresh.id
        JOIN unnest(p_leg_entry, p_leg_no, p_leg_account, p_leg_amount) WITH ORDINALITY
            AS l(entry, no, account, amount, place) ON l.entry = n.entry
    ), freed AS (
        SELECT h.account_id, sum(h.amount_fen)::bigint AS amount
        FROM public.ledger_hold h WHERE h.id = ANY (v_holds) GROUP BY h.account_id
    ), moved AS MATERIALIZED (
        SELECT leg.account, sum(leg.amount)::bigint AS total, count(*) AS n FROM leg GROUP BY leg.account
    ), changed AS (
        UPDATE public.ledger_account a
        SET balance_fen = a.balance_fen + m.total, held_fen = a.held_fen - coalesce(f.amount, 0),
            posted_count = a.posted_count + m.n
        FROM moved m LEFT JOIN freed f ON f.account_id = m.account
        WHERE a.id = m.account AND a.type = 'customer'
            AND (a.status = 'open' OR (a.status = 'frozen' AND m.total >= 0))
            AND a.balance_fen + m.total >= a.held_fen - coalesce(f.amount, 0)
            AND (a.ceiling_fen IS NULL OR m.total <= 0 OR a.balance_fen + m.total <= a.ceiling_fen)
        RETURNING a.id, a.balance_fen - m.total AS balance_before, a.posted_count - m.n AS count_before
    ), side AS MATERIALIZED (
        SELECT m.account, c.balance_before, c.count_before,
            CASE WHEN c.id IS NULL AND NOT EXISTS (
                SELECT FROM public.ledger_account i
                WHERE i.id = m.account AND i.type = 'internal' AND i.status = 'open'
            ) THEN public.ledger_refused(m.account, m.total) END AS refused
        FROM moved m LEFT JOIN changed c ON c.id = m.account
    ), written AS (
        INSERT INTO public.ledger_posting AS w
            (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
        SELECT leg.entry, leg.legs, leg.no, leg.account, coalesce(s.refused, leg.amount), leg.at,
            s.count_before + row_number() OVER its,
            s.balance_before + (sum(leg.amount) OVER its)::bigint
        FROM leg JOIN side s ON s.account = leg.account
        WINDOW its AS (PARTITION BY leg.account ORDER BY leg.place ROWS UNBOUNDED PRECEDING)
        RETURNING w.entry_id, w.seq
    )
    SELECT (SELECT count(*) FROM fresh), (SELECT array_agg(DISTINCT t.entry_id) FROM written t WHERE t.seq IS NOT NULL)
    INTO v_fresh, v_told;

    IF v_fresh = cardinality(p_ids) THEN
        RETURN QUERY SELECT k.id, false, t.id IS NOT NULL FROM unnest(p_ids) WITH ORDINALITY AS k(id, n)
            LEFT JOIN unnest(v_told) AS t(id) ON t.id = k.id ORDER BY k.n;
        RETURN;
    END IF;

    SELECT a.key INTO v_key FROM unnest(p_keys, p_hashes) AS a(key, hash)
        JOIN public.ledger_entry e ON e.key = a.key WHERE e.input_hash <> a.hash LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key % was used for something else', v_key USING ERRCODE = 'RL004';
    END IF;
    RETURN QUERY SELECT e.id, e.id <> k.id, e.id = k.id AND e.id = ANY (coalesce(v_told, '{}'))
        FROM unnest(p_keys, p_ids) WITH ORDINALITY AS k(key, id, n) JOIN public.ledger_entry e ON e.key = k.key
        ORDER BY k.n;
END $$;
"""


def grant(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        for signature in (f"ledger_post({ARRAYS})", f"ledger_post_two({TWO})", "ledger_refused(uuid, bigint)"):
            function = sql.SQL("public." + signature)
            cursor.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(function))
            cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, role))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_post_one")]
    operations = [
        migrations.RemoveConstraint(model_name="account", name="ledger_account_kind"),
        migrations.RemoveConstraint(model_name="account", name="ledger_account_available"),
        migrations.RemoveConstraint(model_name="account", name="ledger_account_ceiling"),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(held_fen__gte=0, balance_fen__gte=models.F("held_fen")),
                name="ledger_account_available",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(balance_fen__lte=models.F("ceiling_fen")), name="ledger_account_ceiling"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(code__isnull=True)
                | models.Q(posted_count=0, balance_fen=0, ceiling_fen__isnull=True),
                name="ledger_account_internal",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.account",
            ),
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
