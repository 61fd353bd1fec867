"""What a posting costs in the database, brought down; what it proves stays.

PostgreSQL reads a CHECK anew from its text in every statement that writes the table, and asks a foreign key about every
row, also where the column is empty. So CHECKs that others imply go, and the longest get shorter words or become a
trigger that asks only the few rows that it is about. Indexes on accounts that nobody reads by go: each is opened by
every update. `ledger_post` locks accounts by their update instead of before it; captures, and refusals with their
reasons, are in `ledger_post_captures`, which is what `ledger_post` was.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull
from psycopg import sql

ARRAYS = (
    "uuid[], text[], bytea[], text[], text[], uuid[], uuid[], timestamptz[], date[], smallint[], uuid[], uuid[], "
    "integer[], smallint[], uuid[], bigint[]"
)
AFTER = "ledger_posting_after"

# The rows that there are, are looked at by the next migration, which keeps nobody from posting meanwhile.
ADD_AFTER = f"""
ALTER TABLE public.ledger_posting DROP CONSTRAINT {AFTER};
ALTER TABLE public.ledger_posting ADD CONSTRAINT {AFTER} CHECK (
    (seq IS NULL) = (balance_after_fen IS NULL) AND seq >= 1 AND balance_after_fen >= 0
) NOT VALID;
"""

GUARDS = """
-- The bank's own accounts keep nothing in their row. A customer's row is asked no more than whether it is one.
CREATE FUNCTION public.ledger_account_keeps_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.balance_fen = 0 AND NEW.posted_count = 0 AND NEW.ceiling_fen IS NULL) IS NOT TRUE THEN
        RAISE EXCEPTION 'account % is the bank''s own and keeps nothing in its row', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_internal';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_account_internal AFTER INSERT OR UPDATE ON public.ledger_account
    FOR EACH ROW WHEN (NEW.code IS NOT NULL) EXECUTE FUNCTION public.ledger_account_keeps_nothing();

-- Entries cannot be removed or renamed, so looking is enough.
CREATE FUNCTION public.ledger_entry_reverses_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.ledger_entry e WHERE e.id = NEW.reverses_id) THEN
        RAISE EXCEPTION 'entry % reverses one that there is not', NEW.id
            USING ERRCODE = '23503', CONSTRAINT = 'ledger_entry_reverses';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_reverses AFTER INSERT ON public.ledger_entry
    FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION public.ledger_entry_reverses_one();

-- Nobody looks accounts' keys and codes up by their beginning.
DO $$
DECLARE
    v_index record;
BEGIN
    FOR v_index IN SELECT c.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
        WHERE x.indrelid = 'public.ledger_account'::regclass AND c.relname LIKE '%\\_like'
    LOOP
        EXECUTE format('DROP INDEX public.%I', v_index.relname);
    END LOOP;
END $$;
"""

RENAME = f"ALTER FUNCTION public.ledger_post({ARRAYS}) RENAME TO ledger_post_captures;"
POST = """
-- Posts one or many entries, all or none. Entry arrays run in parallel; p_leg_entry says to which entry (1..n) a leg
-- belongs. A key that exists with the same hash is a replay and changes nothing; with another hash it is refused.
-- Customers' accounts are locked by their update, in order of id; the bank's own are not locked at all. Keys are looked
-- at last, where it costs nothing: a replay takes off again what it had added, under the same locks.
-- What captures a hold, and what an account does not take part in, goes to ledger_post_captures.
CREATE FUNCTION public.ledger_post(
    p_ids uuid[], p_keys text[], p_hashes bytea[], p_kinds text[], p_memos text[], p_references uuid[],
    p_initiators uuid[], p_at timestamptz[], p_dates date[], p_legs smallint[], p_reverses uuid[], p_holds uuid[],
    p_leg_entry integer[], p_leg_no smallint[], p_leg_account uuid[], p_leg_amount bigint[]
) RETURNS TABLE (entry_id uuid, replayed boolean, told boolean)
-- The size of the arrays is not known when a plan is made, and a plan that reads all accounts outlives its reason.
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_absent bigint;
    v_accounts uuid[];
    v_balances bigint[];
    v_counts bigint[];
    v_fresh uuid[];
    v_key text;
BEGIN
    IF array_remove(p_holds, NULL) <> '{}' THEN
        RETURN QUERY SELECT * FROM public.ledger_post_captures(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references,
            p_initiators, p_at, p_dates, p_legs, p_reverses, p_holds, p_leg_entry, p_leg_no, p_leg_account,
            p_leg_amount);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(1818518642);

    -- `moved` is in order of id, and whatever way it is joined keeps that.
    WITH moved AS MATERIALIZED (
        SELECT l.account, sum(l.amount)::bigint AS total, count(*) AS n
        FROM unnest(p_leg_account, p_leg_amount) AS l(account, amount) GROUP BY l.account ORDER BY l.account
    ), changed AS (
        UPDATE public.ledger_account a SET balance_fen = a.balance_fen + m.total, posted_count = a.posted_count + m.n
        FROM moved m
        WHERE a.id = m.account AND a.type = 'customer'
            AND (a.status = 'open' OR (a.status = 'frozen' AND m.total >= 0))
            AND a.balance_fen + m.total >= a.held_fen
            AND (a.ceiling_fen IS NULL OR m.total <= 0 OR a.balance_fen + m.total <= a.ceiling_fen)
        RETURNING a.id, a.balance_fen - m.total AS balance_before, a.posted_count - m.n AS count_before
    )
    SELECT (SELECT count(*) FROM moved) - count(*), coalesce(array_agg(c.id), '{}'), array_agg(c.balance_before),
        array_agg(c.count_before)
    INTO v_absent, v_accounts, v_balances, v_counts FROM changed c;
    IF v_absent > 0 THEN
        SELECT v_absent - count(*) INTO v_absent
        FROM (SELECT unnest(p_leg_account) EXCEPT SELECT unnest(v_accounts)) AS l(account)
        JOIN public.ledger_account i ON i.id = l.account WHERE i.type = 'internal' AND i.status = 'open';
    END IF;
    IF v_absent > 0 THEN
        UPDATE public.ledger_account a SET balance_fen = b.balance_before, posted_count = b.count_before
            FROM unnest(v_accounts, v_balances, v_counts) AS b(id, balance_before, count_before) WHERE a.id = b.id;
        RETURN QUERY SELECT * FROM public.ledger_post_captures(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references,
            p_initiators, p_at, p_dates, p_legs, p_reverses, p_holds, p_leg_entry, p_leg_no, p_leg_account,
            p_leg_amount);
        RETURN;
    END IF;

    WITH fresh AS (
        INSERT INTO public.ledger_entry AS e (id, key, input_hash, kind, memo, reference, initiator_id, at, value_date,
                                              legs, reverses_id)
        SELECT * FROM unnest(p_ids, p_keys, p_hashes, p_kinds, p_memos, p_references, p_initiators, p_at, p_dates,
                             p_legs, p_reverses) AS n(id, key) ORDER BY n.key
        ON CONFLICT (key) DO NOTHING RETURNING e.id
    ), written AS (
        INSERT INTO public.ledger_posting (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
        SELECT fresh.id, p_legs[l.entry], l.no, l.account, l.amount, p_at[l.entry],
            c.count_before + row_number() OVER its, c.balance_before + (sum(l.amount) OVER its)::bigint
        FROM unnest(p_leg_entry, p_leg_no, p_leg_account, p_leg_amount) WITH ORDINALITY
            AS l(entry, no, account, amount, place)
        JOIN fresh ON fresh.id = p_ids[l.entry]
        LEFT JOIN unnest(v_accounts, v_balances, v_counts) AS c(id, balance_before, count_before) ON c.id = l.account
        WINDOW its AS (PARTITION BY l.account ORDER BY l.place ROWS UNBOUNDED PRECEDING)
    )
    SELECT array_agg(fresh.id) INTO v_fresh FROM fresh;

    IF cardinality(v_fresh) = cardinality(p_ids) THEN
        RETURN QUERY SELECT p_ids[l.entry], false, bool_or(t.id IS NOT NULL)
            FROM unnest(p_leg_entry, p_leg_account) AS l(entry, account)
            LEFT JOIN unnest(v_accounts) AS t(id) ON t.id = l.account GROUP BY l.entry ORDER BY l.entry;
        RETURN;
    END IF;

    SELECT a.key INTO v_key FROM unnest(p_keys, p_hashes) AS a(key, hash)
        JOIN public.ledger_entry e ON e.key = a.key WHERE e.input_hash <> a.hash LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key % was used for something else', v_key USING ERRCODE = 'RL004';
    END IF;
    UPDATE public.ledger_account a SET balance_fen = a.balance_fen - b.total, posted_count = a.posted_count - b.n
        FROM (
            SELECT l.account, sum(l.amount)::bigint AS total, count(*) AS n
            FROM unnest(p_leg_entry, p_leg_account, p_leg_amount) AS l(entry, account, amount)
            WHERE (p_ids[l.entry] = ANY (v_fresh)) IS NOT TRUE GROUP BY l.account
        ) b
        WHERE a.id = b.account AND a.id = ANY (v_accounts);
    RETURN QUERY SELECT e.id, (e.id = ANY (v_fresh) AND e.id = k.id) IS NOT TRUE, e.id = k.id
            AND coalesce(e.id = ANY (v_fresh), false) AND EXISTS (
                SELECT FROM unnest(p_leg_entry, p_leg_account) AS l(entry, account)
                WHERE l.entry = k.n AND l.account = ANY (v_accounts))
        FROM unnest(p_keys, p_ids) WITH ORDINALITY AS k(key, id, n) JOIN public.ledger_entry e ON e.key = k.key
        ORDER BY k.n;
END $$;
"""


def grant(apps, schema_editor):
    role = sql.Identifier(settings.APP_DATABASE_ROLE)
    with schema_editor.connection.cursor() as cursor:
        function = sql.SQL(f"public.ledger_post({ARRAYS})")
        cursor.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(function))
        cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, role))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0011_posting_after")]
    # Tables are locked in the order in which a posting locks them.
    operations = [
        migrations.AlterField(
            model_name="account",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="account", name="ledger_account_internal"),
        migrations.AlterField(model_name="entry", name="legs", field=models.SmallIntegerField()),
        migrations.AlterField(
            model_name="entry",
            name="reverses",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.entry",
            ),
        ),
        migrations.AlterField(model_name="posting", name="legs", field=models.SmallIntegerField()),
        migrations.AlterField(model_name="posting", name="leg", field=models.SmallIntegerField()),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD_AFTER, migrations.RunSQL.noop)],
            state_operations=[
                migrations.RemoveConstraint(model_name="posting", name=AFTER),
                migrations.AddConstraint(
                    model_name="posting",
                    constraint=models.CheckConstraint(
                        name=AFTER,
                        condition=Q(Exact(IsNull(F("seq"), True), IsNull(F("balance_after_fen"), True)))
                        & Q(seq__gte=1, balance_after_fen__gte=0),
                    ),
                ),
            ],
        ),
        migrations.RunSQL(RENAME, migrations.RunSQL.noop),
        migrations.RunSQL(POST, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
