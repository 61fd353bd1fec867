"""What a hold costs in the database, brought down; what it proves stays.

Its CHECK, which every statement that writes one reads anew from its text, gets shorter words, and the function that
places it answers without a statement of its own.
"""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull

CLOSED = Q(
    Exact(Q(state="open"), IsNull(F("closed_at"), True)),
    Exact(IsNull(F("closed_at"), True), IsNull(F("closed_key"), True)),
    Exact(Q(state="captured"), IsNull(F("entry"), False)),
    state__in=["open", "captured", "released", "expired"],
)
TABLE = "ALTER TABLE public.ledger_hold"
# Each by itself: while the rows that there are, are looked at, others write.
SHORTER = [
    f"{TABLE} DROP CONSTRAINT IF EXISTS ledger_hold_closed_anew",
    f"""{TABLE} ADD CONSTRAINT ledger_hold_closed_anew CHECK (
        (state = 'open') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_key IS NULL)
        AND (state = 'captured') = (entry_id IS NOT NULL)
        AND state = ANY ('{{open,captured,released,expired}}')
    ) NOT VALID""",
    f"{TABLE} VALIDATE CONSTRAINT ledger_hold_closed_anew",
    f"{TABLE} DROP CONSTRAINT IF EXISTS ledger_hold_closed",
    f"{TABLE} RENAME CONSTRAINT ledger_hold_closed_anew TO ledger_hold_closed",
]

PLACE = """
CREATE OR REPLACE FUNCTION public.ledger_place_hold(
    p_id uuid, p_key text, p_hash bytea, p_account uuid, p_amount bigint, p_kind text, p_memo text,
    p_reference uuid, p_at timestamptz
) RETURNS TABLE (hold_id uuid, replayed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_hash bytea;
BEGIN
    PERFORM 1 FROM public.ledger_account WHERE id = p_account AND type = 'customer' FOR NO KEY UPDATE;
    INSERT INTO public.ledger_hold (id, key, input_hash, account_id, amount_fen, kind, memo, reference, placed_at,
                                    state, closed_memo)
    VALUES (p_id, p_key, p_hash, p_account, p_amount, p_kind, p_memo, p_reference, p_at, 'open', '')
    ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        SELECT id, input_hash INTO hold_id, v_hash FROM public.ledger_hold WHERE key = p_key;
        IF v_hash <> p_hash THEN
            RAISE EXCEPTION 'key % was used for something else', p_key USING ERRCODE = 'RL004';
        END IF;
        replayed := true;
        RETURN NEXT;
        RETURN;
    END IF;
    UPDATE public.ledger_account SET held_fen = held_fen + p_amount
        WHERE id = p_account AND type = 'customer' AND status = 'open' AND balance_fen - held_fen >= p_amount;
    IF NOT FOUND THEN
        PERFORM public.ledger_refuse(p_account, -p_amount);
    END IF;
    hold_id := p_id;
    replayed := false;
    RETURN NEXT;
END $$;
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ledger", "0014_batches")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SHORTER, migrations.RunSQL.noop)],
            state_operations=[
                migrations.RemoveConstraint("hold", "ledger_hold_closed"),
                migrations.AddConstraint("hold", models.CheckConstraint(name="ledger_hold_closed", condition=CLOSED)),
            ],
        ),
        migrations.RunSQL(PLACE, migrations.RunSQL.noop),
    ]
