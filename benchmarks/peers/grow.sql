-- Books of a bank some years on: transfers between customers, as many in each round as there are pairs of them. In odd
-- rounds the lower half of the accounts pays the upper one, in even rounds the same amounts come back from others: so
-- every posting follows from the one before on its account, and an even number of rounds leaves every balance as it was.
-- Triggers are off while history is brought in, as when a bank changes its system; verify_ledger proves what stands
-- there afterwards. CHECKs and unique keys stay on.

-- An identifier as the product makes them: ordered by time, the rest out of 32 hexadecimal digits.
CREATE FUNCTION bench_id(p_at timestamptz, p_rest text) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || '7' || substr(p_rest, 14))::uuid
$$;

-- Rounds p_from to p_upto, an even number of them, out of p_rounds that fill the last two years, among the accounts
-- from p_first to p_last. Sessions with other accounts may run beside.
CREATE PROCEDURE bench_grow(p_from integer, p_upto integer, p_rounds integer, p_first integer, p_last integer)
LANGUAGE plpgsql AS $$
DECLARE
    v_half integer := (p_last - p_first + 1) / 2;
    v_step interval := interval '2 years' / (p_rounds * v_half);
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL work_mem = '256MB';
    WITH account AS MATERIALIZED (
        SELECT b.n - p_first AS n, a.id, a.balance_fen, a.posted_count
        FROM bench_account b JOIN ledger_account a ON a.id = b.id
        WHERE b.n BETWEEN p_first AND p_last
    ), moved AS MATERIALIZED (
        SELECT bench_id(t.at, md5(low.id::text || r)) AS entry, t.at, r, low.n, r - p_from + 1 AS step,
            1 + (r + 1) / 2 % 500 AS fen,
            low.id AS low, low.balance_fen AS low_balance, low.posted_count AS low_count,
            high.id AS high, high.balance_fen AS high_balance, high.posted_count AS high_count
        FROM generate_series(p_from, p_upto) AS r CROSS JOIN account low
        JOIN account high ON high.n = v_half + (low.n + r) % v_half
        CROSS JOIN LATERAL (SELECT now() - interval '2 years' + v_step * ((r - 1) * v_half + low.n) AS at) t
        WHERE low.n < v_half
    ), written AS (
        INSERT INTO ledger_entry (id, key, input_hash, kind, memo, at, value_date, legs)
        SELECT entry, 'transfer-' || entry || '-in', sha256(entry::text::bytea), 'transfer', '转账', at, at::date, 2
        FROM moved ORDER BY r, n
    ), counted AS (
        UPDATE ledger_account a SET posted_count = a.posted_count + p_upto - p_from + 1
        FROM account WHERE a.id = account.id
    )
    INSERT INTO ledger_posting (entry_id, legs, leg, account_id, amount_fen, at, seq, balance_after_fen)
    SELECT m.entry, 2, l.leg, l.account, l.fen, m.at, l.seq, l.balance
    FROM moved m CROSS JOIN LATERAL (VALUES
        (2 - r % 2, low, CASE r % 2 WHEN 1 THEN -fen ELSE fen END, low_count + step, low_balance - fen * (r % 2)),
        (1 + r % 2, high, CASE r % 2 WHEN 1 THEN fen ELSE -fen END, high_count + step, high_balance + fen * (r % 2))
    ) AS l(leg, account, fen, seq, balance)
    ORDER BY m.r, m.n, l.leg;
END $$;
