"""What keeps the books: the functions that post and hold, the guards of the database, and the rights.

Names are qualified with their schema, so that no temporary table of a session can stand in for one of ours.
The functions run with their caller's rights. Their refusals carry a state of class RL and a JSON detail;
finance.ledger.errors turns them into what people read.
"""

from django.conf import settings
from django.db import migrations
from psycopg import sql

GUARDS = """
ALTER TABLE public.ledger_entry ADD CONSTRAINT ledger_entry_room UNIQUE (id, legs);
ALTER TABLE public.ledger_posting ADD CONSTRAINT ledger_posting_of_entry
    FOREIGN KEY (entry_id, legs) REFERENCES public.ledger_entry (id, legs);

CREATE FUNCTION public.ledger_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is not possible: the books are only added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'RL000';
END $$;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_never();
CREATE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.ledger_posting
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_never();
CREATE TRIGGER ledger_hold_kept BEFORE DELETE OR TRUNCATE ON public.ledger_hold
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_never();
CREATE TRIGGER ledger_account_kept BEFORE DELETE OR TRUNCATE ON public.ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_never();

CREATE FUNCTION public.ledger_entry_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_legs bigint;
    v_sum numeric;
BEGIN
    SELECT count(*), sum(amount_fen) INTO v_legs, v_sum FROM public.ledger_posting WHERE entry_id = NEW.id;
    IF v_legs <> NEW.legs OR v_sum <> 0 THEN
        RAISE EXCEPTION 'entry % has % of % legs and a sum of % fen', NEW.id, v_legs, NEW.legs, v_sum
            USING ERRCODE = 'RL008';
    END IF;
    RETURN NULL;
END $$;
-- An entry's places are numbered and unique, so once it has been full at a commit no posting can join it.
CREATE CONSTRAINT TRIGGER ledger_entry_zero_sum AFTER INSERT ON public.ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.ledger_entry_adds_up();

CREATE FUNCTION public.ledger_hold_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' OR NEW.state = 'open' THEN
        RAISE EXCEPTION 'a hold goes from open to an end, not from % to %', OLD.state, NEW.state
            USING ERRCODE = 'RL005', DETAIL = json_build_object('state', OLD.state)::text;
    END IF;
    IF (NEW.id, NEW.key, NEW.input_hash, NEW.account_id, NEW.amount_fen, NEW.kind, NEW.memo, NEW.placed_at)
        IS DISTINCT FROM
       (OLD.id, OLD.key, OLD.input_hash, OLD.account_id, OLD.amount_fen, OLD.kind, OLD.memo, OLD.placed_at) THEN
        RAISE EXCEPTION 'what a hold says cannot be changed' USING ERRCODE = 'RL000';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_hold_transition BEFORE UPDATE ON public.ledger_hold
    FOR EACH ROW EXECUTE FUNCTION public.ledger_hold_moves();

ALTER TABLE public.ledger_account SET (fillfactor = 80);
ALTER TABLE public.ledger_hold SET (fillfactor = 80);
"""

FUNCTIONS = """
-- Why an account does not take part in a movement that would add p_total to it.
CREATE FUNCTION public.ledger_refuse(p_account uuid, p_total bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    a public.ledger_account%ROWTYPE;
BEGIN
    SELECT * INTO a FROM public.ledger_account WHERE id = p_account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no account %', p_account
            USING ERRCODE = 'RL006', DETAIL = json_build_object('account_id', p_account)::text;
    END IF;
    IF a.status = 'closed' OR (a.status = 'frozen' AND p_total < 0) THEN
        RAISE EXCEPTION 'account % is %', p_account, a.status USING ERRCODE = 'RL002',
            DETAIL = json_build_object('account_id', p_account, 'account_status', a.status, 'tail', a.tail)::text;
    END IF;
    IF a.ceiling_fen IS NOT NULL AND a.balance_fen + p_total > a.ceiling_fen THEN
        RAISE EXCEPTION 'account % would pass its ceiling', p_account USING ERRCODE = 'RL003',
            DETAIL = json_build_object('account_id', p_account, 'ceiling_fen', a.ceiling_fen,
                                       'room_fen', a.ceiling_fen - a.balance_fen, 'tail', a.tail)::text;
    END IF;
    RAISE EXCEPTION 'account % has too little', p_account USING ERRCODE = 'RL001',
        DETAIL = json_build_object('account_id', p_account, 'tail', a.tail,
                                   'available_fen', a.balance_fen - a.held_fen)::text;
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
LANGUAGE plpgsql AS $$
DECLARE
    v_fresh uuid[];
    v_key text;
    v_holds uuid[];
    v_taken bigint;
    v_changed uuid[];
    v_told uuid[];
    v_accounts bigint;
    v_internal bigint;
    r record;
BEGIN
    -- A roll-up waits for those who are posting, and so knows the last posting that is in the books.
    PERFORM pg_advisory_xact_lock_shared(1818518642);

    WITH fresh AS (
        INSERT INTO public.ledger_entry (id, key, input_hash, kind, memo, reference, initiator_id, at, value_date,
                                         legs, reverses_id)
        SELECT * FROM unnest(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references, p_initiators, p_at, p_dates,
                             p_legs, p_reverses) AS e(id, key) ORDER BY e.key
        ON CONFLICT (key) DO NOTHING RETURNING id
    ) SELECT array_agg(id) INTO v_fresh FROM fresh;

    IF coalesce(cardinality(v_fresh), 0) < cardinality(p_ids) THEN
        SELECT a.key INTO v_key FROM unnest(p_keys, p_hashes) AS a(key, hash)
            JOIN public.ledger_entry e ON e.key = a.key WHERE e.input_hash <> a.hash LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'key % was used for something else', v_key USING ERRCODE = 'RL004';
        END IF;
    END IF;

    IF v_fresh IS NOT NULL THEN
        SELECT array_agg(h.id) INTO v_holds
            FROM unnest(p_ids, p_holds) AS h(entry, id) WHERE h.id IS NOT NULL AND h.entry = ANY (v_fresh);
        IF v_holds IS NOT NULL THEN
            PERFORM 1 FROM public.ledger_hold WHERE id = ANY (v_holds) ORDER BY id FOR NO KEY UPDATE;
            UPDATE public.ledger_hold h SET state = 'captured', closed_at = c.at, closed_key = c.key,
                closed_memo = c.memo, entry_id = c.entry
            FROM (
                SELECT e.hold, e.entry, e.key, e.memo, e.at, l.account, l.amount
                FROM unnest(p_ids, p_holds, p_keys, p_memos, p_at) WITH ORDINALITY
                    AS e(entry, hold, key, memo, at, place)
                JOIN unnest(p_leg_entry, p_leg_account, p_leg_amount) AS l(place, account, amount)
                    ON l.place = e.place
                WHERE e.hold = ANY (v_holds) AND e.entry = ANY (v_fresh)
            ) c
            WHERE h.id = c.hold AND h.state = 'open' AND h.account_id = c.account
                AND c.amount BETWEEN -h.amount_fen AND -1;
            GET DIAGNOSTICS v_taken = ROW_COUNT;
            IF v_taken <> cardinality(v_holds) THEN
                FOR r IN SELECT w.id, h.state FROM unnest(v_holds) AS w(id)
                    LEFT JOIN public.ledger_hold h ON h.id = w.id WHERE h.entry_id IS NULL
                        OR h.entry_id <> ALL (v_fresh)
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

        WITH leg AS MATERIALIZED (
            SELECT p_ids[l.place] AS entry, p_legs[l.place] AS legs, l.no, l.account, l.amount, p_at[l.place] AS at, l.n
            FROM unnest(p_leg_entry, p_leg_no, p_leg_account, p_leg_amount) WITH ORDINALITY
                AS l(place, no, account, amount, n)
            WHERE p_ids[l.place] = ANY (v_fresh)
        ), freed AS (
            SELECT h.account_id, sum(h.amount_fen)::bigint AS amount
            FROM public.ledger_hold h WHERE h.id = ANY (v_holds) GROUP BY h.account_id
        ), moved AS (
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
            RETURNING a.id, a.balance_fen, a.posted_count, m.total, m.n
        ), written AS (
            INSERT INTO public.ledger_posting
                (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
            SELECT leg.entry, leg.legs, leg.no, leg.account, leg.amount, leg.at,
                c.posted_count - c.n + row_number() OVER its,
                c.balance_fen - c.total + (sum(leg.amount) OVER its)::bigint
            FROM leg LEFT JOIN changed c ON c.id = leg.account
            WINDOW its AS (PARTITION BY leg.account ORDER BY leg.n)
            RETURNING ledger_posting.entry_id, ledger_posting.seq
        )
        SELECT (SELECT count(*) FROM moved),
            (SELECT array_agg(changed.id) FROM changed),
            (SELECT count(*) FROM public.ledger_account a JOIN moved m ON a.id = m.account
                WHERE a.type = 'internal' AND a.status = 'open'),
            (SELECT array_agg(DISTINCT written.entry_id) FROM written WHERE written.seq IS NOT NULL)
        INTO v_accounts, v_changed, v_internal, v_told;

        IF coalesce(cardinality(v_changed), 0) + v_internal <> v_accounts THEN
            FOR r IN SELECT l.account, sum(l.amount)::bigint AS total
                FROM unnest(p_leg_entry, p_leg_account, p_leg_amount) AS l(place, account, amount)
                LEFT JOIN public.ledger_account a ON a.id = l.account
                WHERE p_ids[l.place] = ANY (v_fresh) AND (v_changed IS NULL OR l.account <> ALL (v_changed))
                    AND (a.type = 'internal' AND a.status = 'open') IS NOT TRUE
                GROUP BY l.account ORDER BY l.account
            LOOP
                PERFORM public.ledger_refuse(r.account, r.total);
            END LOOP;
        END IF;
    END IF;

    RETURN QUERY SELECT e.id, NOT (e.id = ANY (coalesce(v_fresh, '{}'))), e.id = ANY (coalesce(v_told, '{}'))
        FROM unnest(p_keys) WITH ORDINALITY AS k(key, n) JOIN public.ledger_entry e ON e.key = k.key ORDER BY k.n;
END $$;

-- Holds an amount of a customer's available money.
CREATE FUNCTION public.ledger_place_hold(
    p_id uuid, p_key text, p_hash bytea, p_account uuid, p_amount bigint, p_kind text, p_memo text, p_reference uuid,
    p_at timestamptz
) RETURNS TABLE (hold_id uuid, replayed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
    v_hash bytea;
BEGIN
    PERFORM 1 FROM public.ledger_account WHERE id = p_account AND type = 'customer' FOR NO KEY UPDATE;
    INSERT INTO public.ledger_hold (id, key, input_hash, account_id, amount_fen, kind, memo, reference, placed_at,
                                    state, closed_memo)
    VALUES (p_id, p_key, p_hash, p_account, p_amount, p_kind, p_memo, p_reference, p_at, 'open', '')
    ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        SELECT id, input_hash INTO v_id, v_hash FROM public.ledger_hold WHERE key = p_key;
        IF v_hash <> p_hash THEN
            RAISE EXCEPTION 'key % was used for something else', p_key USING ERRCODE = 'RL004';
        END IF;
        RETURN QUERY SELECT v_id, true;
        RETURN;
    END IF;
    UPDATE public.ledger_account SET held_fen = held_fen + p_amount
        WHERE id = p_account AND type = 'customer' AND status = 'open' AND balance_fen - held_fen >= p_amount;
    IF NOT FOUND THEN
        PERFORM public.ledger_refuse(p_account, -p_amount);
    END IF;
    RETURN QUERY SELECT p_id, false;
END $$;

-- Ends a hold without a movement: p_state is released or expired.
CREATE FUNCTION public.ledger_end_hold(p_hold uuid, p_key text, p_memo text, p_state text, p_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    h public.ledger_hold%ROWTYPE;
BEGIN
    SELECT * INTO h FROM public.ledger_hold WHERE id = p_hold FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no hold %', p_hold USING ERRCODE = 'RL005',
            DETAIL = json_build_object('state', 'unknown')::text;
    END IF;
    IF h.state = p_state AND h.closed_key = p_key THEN
        RETURN true;
    END IF;
    IF h.state <> 'open' THEN
        RAISE EXCEPTION 'hold % is %', p_hold, h.state USING ERRCODE = 'RL005',
            DETAIL = json_build_object('state', h.state)::text;
    END IF;
    UPDATE public.ledger_hold SET state = p_state, closed_at = p_at, closed_key = p_key, closed_memo = p_memo
        WHERE id = p_hold;
    UPDATE public.ledger_account SET held_fen = held_fen - h.amount_fen WHERE id = h.account_id;
    RETURN false;
END $$;
"""

SIGNATURES = (
    "ledger_post(uuid[], text[], bytea[], text[], text[], uuid[], uuid[], timestamptz[], date[], smallint[], uuid[], "
    "uuid[], integer[], smallint[], uuid[], bigint[])",
    "ledger_place_hold(uuid, text, bytea, uuid, bigint, text, text, uuid, timestamptz)",
    "ledger_end_hold(uuid, text, text, text, timestamptz)",
    "ledger_refuse(uuid, bigint)",
)


def grant(apps, schema_editor):
    """The server's role adds entries, postings and holds, ends holds, and moves balances; nothing else."""
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    statements = [
        "REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entry, ledger_posting, ledger_hold, ledger_account FROM {}",
        "GRANT UPDATE (balance_fen, held_fen, posted_count, status, ceiling_fen, name) ON ledger_account TO {}",
        "GRANT UPDATE (state, closed_at, closed_key, closed_memo, entry_id) ON ledger_hold TO {}",
    ]
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(role))
        for signature in SIGNATURES:
            function = sql.SQL(signature)
            cursor.execute(sql.SQL("REVOKE ALL ON FUNCTION public.{} FROM PUBLIC").format(function))
            cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION public.{} TO {}").format(function, role))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("kernel", "0002_roles")]
    operations = [
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
