-- The floor: what one plpgsql function can post here, with the product's own kinds of guard and nothing else.
CREATE TABLE floor_account (
    id bigint PRIMARY KEY,
    balance_fen bigint NOT NULL CHECK (balance_fen >= 0)
) WITH (fillfactor = 80);
CREATE TABLE floor_entry (
    id uuid PRIMARY KEY,
    key text NOT NULL UNIQUE,
    input_hash bytea NOT NULL,
    kind text NOT NULL,
    memo text NOT NULL,
    at timestamptz NOT NULL,
    legs smallint NOT NULL CHECK (legs >= 2)
);
CREATE TABLE floor_posting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id uuid NOT NULL REFERENCES floor_entry,
    account_id bigint NOT NULL REFERENCES floor_account,
    amount_fen bigint NOT NULL CHECK (amount_fen <> 0),
    balance_fen bigint NOT NULL
);
CREATE INDEX ON floor_posting (entry_id);
CREATE INDEX ON floor_posting (account_id, id);

CREATE FUNCTION floor_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    total numeric;
BEGIN
    SELECT count(*), sum(amount_fen) INTO n, total FROM floor_posting WHERE entry_id = NEW.id;
    IF n <> NEW.legs OR total <> 0 THEN
        RAISE EXCEPTION 'entry % does not add up', NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER floor_zero_sum AFTER INSERT ON floor_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION floor_adds_up();

CREATE FUNCTION floor_transfer(p_key text, p_hash bytea, p_from bigint, p_to bigint, p_fen bigint) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_entry uuid := gen_random_uuid();
    v_known bytea;
    v_from bigint;
    v_to bigint;
BEGIN
    INSERT INTO floor_entry (id, key, input_hash, kind, memo, at, legs)
        VALUES (v_entry, p_key, p_hash, 'transfer', 'bench', now(), 2) ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        SELECT id, input_hash INTO v_entry, v_known FROM floor_entry WHERE key = p_key;
        IF v_known <> p_hash THEN
            RAISE EXCEPTION 'the key stands for something else';
        END IF;
        RETURN v_entry;
    END IF;
    PERFORM 1 FROM floor_account WHERE id IN (p_from, p_to) ORDER BY id FOR NO KEY UPDATE;
    UPDATE floor_account SET balance_fen = balance_fen - p_fen WHERE id = p_from RETURNING balance_fen INTO v_from;
    UPDATE floor_account SET balance_fen = balance_fen + p_fen WHERE id = p_to RETURNING balance_fen INTO v_to;
    INSERT INTO floor_posting (entry_id, account_id, amount_fen, balance_fen)
        VALUES (v_entry, p_from, -p_fen, v_from), (v_entry, p_to, p_fen, v_to);
    RETURN v_entry;
END $$;
INSERT INTO floor_account SELECT n, :funds FROM generate_series(1, :accounts) AS n;
