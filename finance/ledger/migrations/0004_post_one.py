"""A way of its own for what is posted most: one entry of two legs. The same rules, in single-row statements.

`ledger_post` stays the one door; what posts many at once is `ledger_post_many`.
"""

from django.conf import settings
from django.db import migrations
from psycopg import sql

ARGUMENTS = (
    "uuid[], text[], bytea[], text[], text[], uuid[], uuid[], timestamptz[], date[], smallint[], uuid[], uuid[], "
    "integer[], smallint[], uuid[], bigint[]"
)

RENAME = f"ALTER FUNCTION public.ledger_post({ARGUMENTS}) RENAME TO ledger_post_many"

FUNCTION = """
CREATE FUNCTION public.ledger_post(
    p_ids uuid[], p_keys text[], p_hashes bytea[], p_kinds text[], p_memos text[], p_references uuid[],
    p_initiators uuid[], p_at timestamptz[], p_dates date[], p_legs smallint[], p_reverses uuid[], p_holds uuid[],
    p_leg_entry integer[], p_leg_no smallint[], p_leg_account uuid[], p_leg_amount bigint[]
) RETURNS TABLE (entry_id uuid, replayed boolean, told boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
    v_hash bytea;
    v_first integer := 1;
    v_leg integer;
    v_balance bigint[] := array[NULL, NULL]::bigint[];
    v_seq bigint[] := array[NULL, NULL]::bigint[];
    v_new_balance bigint;
    v_new_seq bigint;
BEGIN
    IF cardinality(p_ids) <> 1 OR cardinality(p_leg_account) <> 2 OR p_holds[1] IS NOT NULL
        OR p_leg_account[1] = p_leg_account[2] THEN
        RETURN QUERY SELECT * FROM public.ledger_post_many(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references,
            p_initiators, p_at, p_dates, p_legs, p_reverses, p_holds, p_leg_entry, p_leg_no, p_leg_account,
            p_leg_amount);
        RETURN;
    END IF;

    PERFORM pg_advisory_xact_lock_shared(1818518642);

    INSERT INTO public.ledger_entry AS e (id, key, input_hash, kind, memo, reference, initiator_id, at, value_date,
                                          legs, reverses_id)
    VALUES (p_ids[1], p_keys[1], p_hashes[1], p_kinds[1], p_memos[1], p_references[1], p_initiators[1], p_at[1],
            p_dates[1], p_legs[1], p_reverses[1])
    ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        SELECT e.id, e.input_hash INTO v_id, v_hash FROM public.ledger_entry e WHERE e.key = p_keys[1];
        IF v_hash <> p_hashes[1] THEN
            RAISE EXCEPTION 'key % was used for something else', p_keys[1] USING ERRCODE = 'RL004';
        END IF;
        RETURN QUERY SELECT v_id, true, false;
        RETURN;
    END IF;

    -- Customers' accounts are locked by their update, in order of id like everywhere.
    IF p_leg_account[2] < p_leg_account[1] THEN
        v_first := 2;
    END IF;
    FOREACH v_leg IN ARRAY array[v_first, 3 - v_first] LOOP
        UPDATE public.ledger_account a
        SET balance_fen = a.balance_fen + p_leg_amount[v_leg], posted_count = a.posted_count + 1
        WHERE a.id = p_leg_account[v_leg] AND a.type = 'customer'
            AND (a.status = 'open' OR (a.status = 'frozen' AND p_leg_amount[v_leg] >= 0))
            AND a.balance_fen + p_leg_amount[v_leg] >= a.held_fen
            AND (a.ceiling_fen IS NULL OR p_leg_amount[v_leg] <= 0
                OR a.balance_fen + p_leg_amount[v_leg] <= a.ceiling_fen)
        RETURNING a.balance_fen, a.posted_count INTO v_new_balance, v_new_seq;
        IF FOUND THEN
            v_balance[v_leg] := v_new_balance;
            v_seq[v_leg] := v_new_seq;
        ELSE
            PERFORM 1 FROM public.ledger_account a
                WHERE a.id = p_leg_account[v_leg] AND a.type = 'internal' AND a.status = 'open';
            IF NOT FOUND THEN
                PERFORM public.ledger_refuse(p_leg_account[v_leg], p_leg_amount[v_leg]);
            END IF;
        END IF;
    END LOOP;

    INSERT INTO public.ledger_posting (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
    VALUES (p_ids[1], p_legs[1], p_leg_no[1], p_leg_account[1], p_leg_amount[1], p_at[1], v_seq[1], v_balance[1]),
           (p_ids[1], p_legs[1], p_leg_no[2], p_leg_account[2], p_leg_amount[2], p_at[1], v_seq[2], v_balance[2]);

    RETURN QUERY SELECT p_ids[1], false, v_seq[1] IS NOT NULL OR v_seq[2] IS NOT NULL;
END $$;
"""


def grant(apps, schema_editor):
    role, function = sql.Identifier(settings.APP_DATABASE_ROLE), sql.SQL(f"public.ledger_post({ARGUMENTS})")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(function))
        cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, role))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_internal_accounts")]
    operations = [
        migrations.RunSQL(RENAME, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
