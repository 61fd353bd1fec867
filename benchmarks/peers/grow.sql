-- Books of a bank some years on: in each round every account is paid one fen by one of the bank's own. The guards are
-- on; accounts and postings agree, so that verify_ledger has something to prove.
CREATE PROCEDURE bench_grow(p_rounds integer) LANGUAGE plpgsql AS $$
BEGIN
    WITH account AS MATERIALIZED (
        SELECT b.id, a.balance_fen, a.posted_count FROM bench_account b JOIN ledger_account a ON a.id = b.id
        WHERE b.n > 0
    ), entry AS MATERIALIZED (
        SELECT gen_random_uuid() AS entry, account.*, r FROM account, generate_series(1, p_rounds) AS r
    ), written AS (
        INSERT INTO ledger_entry (id, key, input_hash, kind, memo, at, value_date, legs)
        SELECT entry, entry::text, '\x00', 'salary', 'bench', now(), current_date, 2 FROM entry
    ), paid AS (
        UPDATE ledger_account a SET balance_fen = a.balance_fen + p_rounds, posted_count = a.posted_count + p_rounds
        FROM account WHERE a.id = account.id
    )
    INSERT INTO ledger_posting (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
    SELECT entry, 2, 1, (SELECT id FROM bench_account WHERE n = 0), -1, now(), NULL, NULL FROM entry
    UNION ALL
    SELECT entry, 2, 2, id, 1, now(), posted_count + r, balance_fen + r FROM entry;
END $$;
