"""What a batch costs in the database, brought down once more; what it proves stays.

A row trigger BEFORE UPDATE has PostgreSQL lock each account in a step of its own, with a record of its own in the log,
also where the columns that it is about are not written: `ledger_account_kind` asks afterwards. `ledger_post` is one
statement, in a block that is taken back where a key is known or an account does not take part. The proof of whole
entries looks each entry up once and not for each of its postings.
"""

from django.db import migrations

KIND = """
CREATE OR REPLACE TRIGGER ledger_account_kind
    AFTER INSERT OR UPDATE OF id, type, nature, owner_id, account_class, code, number, number_index
    ON public.ledger_account FOR EACH ROW EXECUTE FUNCTION public.ledger_account_is_one_kind();
"""

PROOF = """
CREATE OR REPLACE FUNCTION public.ledger_postings_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_entry uuid;
    v_legs smallint;
    v_found bigint;
    v_sum numeric;
BEGIN
    -- Accounts are looked up once for each posting, entries once for each entry (OFFSET 0 keeps it so): a join would be
    -- planned for the first statement that this session sees, and the next may be of another size.
    SELECT p.entry_id, p.said, p.found, p.total INTO v_entry, v_legs, v_found, v_sum
    FROM (
        SELECT g.*, (SELECT e.legs FROM public.ledger_entry e WHERE e.id = g.entry_id) AS said
        FROM (
            SELECT n.entry_id, count(*) AS found, sum(n.amount_fen) AS total, min(n.legs) AS least,
                max(n.legs) AS most,
                bool_or(((SELECT a.type FROM public.ledger_account a WHERE a.id = n.account_id) = 'customer')
                    IS DISTINCT FROM (n.seq IS NOT NULL)) AS wrong
            FROM added n GROUP BY n.entry_id OFFSET 0
        ) g OFFSET 0
    ) p
    WHERE p.found IS DISTINCT FROM p.said OR p.total <> 0 OR p.least <> p.said OR p.most <> p.said OR p.wrong
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % has % of % legs and a sum of % fen, or a leg on the wrong side', v_entry, v_found,
            v_legs, v_sum USING ERRCODE = 'RL008';
    END IF;
    RETURN NULL;
END $$;
"""

POST = """
-- Posts one or many entries, all or none. Entry arrays run in parallel; p_leg_entry says to which entry (1..n) a leg
-- belongs. A key that exists with the same hash is a replay and changes nothing; with another hash it is refused.
-- Customers' accounts are locked by their update, in order of id; the bank's own are not locked at all. Keys come last.
-- What captures a hold, what has a key that is known, and what an account does not take part in, is for
-- ledger_post_captures: the last two once all that was done here is taken back.
CREATE OR REPLACE FUNCTION public.ledger_post(
    p_ids uuid[], p_keys text[], p_hashes bytea[], p_kinds text[], p_memos text[], p_references uuid[],
    p_initiators uuid[], p_at timestamptz[], p_dates date[], p_legs smallint[], p_reverses uuid[], p_holds uuid[],
    p_leg_entry integer[], p_leg_no smallint[], p_leg_account uuid[], p_leg_amount bigint[]
) RETURNS TABLE (entry_id uuid, replayed boolean, told boolean)
-- The size of the arrays is not known when a plan is made, and a plan that reads all accounts outlives its reason.
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_rest uuid[];
    v_banks boolean;
BEGIN
    IF array_remove(p_holds, NULL) <> '{}' THEN
        RETURN QUERY SELECT * FROM public.ledger_post_captures(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references,
            p_initiators, p_at, p_dates, p_legs, p_reverses, p_holds, p_leg_entry, p_leg_no, p_leg_account,
            p_leg_amount);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(1818518642);

    BEGIN
        -- `moved` is in order of id, and whatever way it is joined keeps that. Nothing is written before all of
        -- `changed` is there: `rest` needs it.
        WITH leg AS MATERIALIZED (
            SELECT l.entry, l.no, l.account, l.amount, row_number() OVER its AS n,
                (sum(l.amount) OVER its)::bigint AS upto
            FROM unnest(p_leg_entry, p_leg_no, p_leg_account, p_leg_amount) WITH ORDINALITY
                AS l(entry, no, account, amount, place)
            WINDOW its AS (PARTITION BY l.account ORDER BY l.place ROWS UNBOUNDED PRECEDING)
        ), moved AS MATERIALIZED (
            SELECT l.account, sum(l.amount)::bigint AS total, count(*) AS n
            FROM leg l GROUP BY l.account ORDER BY l.account
        ), changed AS (
            UPDATE public.ledger_account a
            SET balance_fen = a.balance_fen + m.total, posted_count = a.posted_count + m.n
            FROM moved m
            WHERE a.id = m.account AND a.type = 'customer'
                AND (a.status = 'open' OR (a.status = 'frozen' AND m.total >= 0))
                AND a.balance_fen + m.total >= a.held_fen
                AND (a.ceiling_fen IS NULL OR m.total <= 0 OR a.balance_fen + m.total <= a.ceiling_fen)
            RETURNING a.id, a.balance_fen - m.total AS balance_before, a.posted_count - m.n AS count_before
        ), rest AS MATERIALIZED (
            SELECT m.account, EXISTS (
                SELECT FROM public.ledger_account i
                WHERE i.id = m.account AND i.type = 'internal' AND i.status = 'open'
            ) AS banks
            FROM moved m LEFT JOIN changed c ON c.id = m.account WHERE c.id IS NULL
        ), written AS (
            INSERT INTO public.ledger_posting (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
            SELECT p_ids[l.entry], p_legs[l.entry], l.no, l.account, l.amount, p_at[l.entry],
                c.count_before + l.n, c.balance_before + l.upto
            FROM leg l LEFT JOIN changed c ON c.id = l.account
            WHERE NOT EXISTS (SELECT FROM rest r WHERE NOT r.banks)
        ), entered AS (
            INSERT INTO public.ledger_entry (id, key, input_hash, kind, memo, reference, initiator_id, at, value_date,
                                             legs, reverses_id)
            SELECT * FROM unnest(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references, p_initiators, p_at, p_dates,
                                 p_legs, p_reverses) AS n(id, key)
            WHERE NOT EXISTS (SELECT FROM rest r WHERE NOT r.banks) ORDER BY n.key
        )
        SELECT array_agg(r.account), bool_and(r.banks) INTO v_rest, v_banks FROM rest r;
        IF NOT v_banks THEN
            RAISE EXCEPTION 'an account does not take part' USING ERRCODE = 'RL009';
        END IF;
        -- An entry is told of if it has a customer's leg.
        IF v_rest IS NULL THEN
            RETURN QUERY SELECT n.id, false, true FROM unnest(p_ids) AS n(id);
        ELSE
            RETURN QUERY SELECT p_ids[l.entry], false, bool_or(l.account <> ALL (v_rest))
                FROM unnest(p_leg_entry, p_leg_account) AS l(entry, account) GROUP BY l.entry ORDER BY l.entry;
        END IF;
        RETURN;
    EXCEPTION WHEN unique_violation OR SQLSTATE 'RL009' THEN
        NULL;
    END;
    RETURN QUERY SELECT * FROM public.ledger_post_captures(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references,
        p_initiators, p_at, p_dates, p_legs, p_reverses, p_holds, p_leg_entry, p_leg_no, p_leg_account, p_leg_amount);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0013_posting_after_held")]
    operations = [
        migrations.RunSQL(KIND, migrations.RunSQL.noop),
        migrations.RunSQL(PROOF, migrations.RunSQL.noop),
        migrations.RunSQL(POST, migrations.RunSQL.noop),
    ]
