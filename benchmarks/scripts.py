"""What pgbench runs: the floor, and the ledger's own functions in the shapes that a bank posts in."""

ACCOUNTS = 4_000
BATCH = 16

_REST = "'\\\\x00', 'transfer', 'bench', null, null, now(), current_date, null, {payer}, {payee}, :fen"
_ACCOUNT = "bench_id_of(:{name})"
_PAYER, _PAYEE = _ACCOUNT.format(name="a"), _ACCOUNT.format(name="b")
_THE_BANKS = "(SELECT id FROM bench_account WHERE n = 0)"
_A_MERCHANTS = "bench_id_of(1)"


def _pick(accounts: int, first: int = 1) -> str:
    """Two different accounts `a` and `b` out of those from `first` on, and an amount."""
    count = accounts - first + 1
    return f"""\\set a random({first}, {accounts})
\\set b {first} + (:a - {first} + 1 + random(0, {count - 2})) % {count}
\\set fen random(1, 500)
"""


def _two(payer: str, payee: str) -> str:
    rest = _REST.format(payer=payer, payee=payee)
    return f"SELECT * FROM ledger_post_two(gen_random_uuid(), gen_random_uuid()::text, {rest});\n"


def uniform_in_time(accounts: int) -> str:
    """One transfer between any two, its identifiers ordered by time as the product's are: what is written last lies
    together in an index, however large.
    """
    rest = _REST.format(payer=_PAYER, payee=_PAYEE)
    return f"""{_pick(accounts)}SELECT posted.*
FROM (SELECT bench_id(clock_timestamp(), md5(random()::text)) AS id OFFSET 0) AS new,
  LATERAL ledger_post_two(new.id, 'transfer-' || new.id || '-in', {rest}) AS posted;
"""


def _all(value: str) -> str:
    return f"array_fill({value}, ARRAY[{BATCH}])"


_FIRST, _SECOND = _all("1::smallint"), _all("2::smallint")
_PAID, _GOT = _all("-7::bigint"), _all("7::bigint")


def _batch(draw: str, payer: str, payee: str) -> str:
    """Entries of two legs in one call. Accounts are drawn once for each row, whatever then reads them."""
    return f"""WITH drawn AS MATERIALIZED (
  {draw}
)
SELECT ledger_post(
  array_agg(gen_random_uuid()), array_agg(gen_random_uuid()::text), array_agg('\\\\x00'::bytea),
  array_agg('transfer'::text), array_agg('bench'::text), array_agg(null::uuid), array_agg(null::uuid),
  array_agg(now()), array_agg(current_date), array_agg(2::smallint), array_agg(null::uuid), array_agg(null::uuid),
  array_agg(g) || array_agg(g), {_FIRST} || {_SECOND}, array_agg({payer}) || array_agg({payee}), {_PAID} || {_GOT}
) FROM drawn;
"""


def _each(first: str) -> str:
    """Sixteen pairs, each drawn by itself."""
    step = f"floor(random() * {ACCOUNTS - 1})::int AS step"
    return f"SELECT g, {first} AS a, {step} FROM generate_series(1, {BATCH}) AS g"


_TOGETHER = f"""SELECT g, CAST(:a AS int) AS a, (:step + g) % {ACCOUNTS - 1} AS step
  FROM generate_series(1, {BATCH}) AS g"""
_A = "bench_id_of(a)"
_ANY = f"1 + floor(random() * {ACCOUNTS})::int"
_OTHER = f"bench_id_of(1 + (a + step) % {ACCOUNTS})"

SINGLE = {
    "floor": _pick(ACCOUNTS) + "SELECT floor_transfer(gen_random_uuid()::text, '\\\\x00', :a, :b, :fen);\n",
    "function": _pick(ACCOUNTS) + _two(_PAYER, _PAYEE),
    "hot": _pick(ACCOUNTS) + _two(_PAYER, _THE_BANKS),
    "hot_customer": _pick(ACCOUNTS, 2) + _two(_PAYER, _A_MERCHANTS),
}
BATCHES = {
    # Refunds and returned payments are of this shape: many payers, many payees.
    "batch": _batch(_each(_ANY), _A, _OTHER),
    # One employer out of all, who pays sixteen others.
    "batch_payroll": f"\\set a random(1, {ACCOUNTS})\n\\set step random(0, {ACCOUNTS - 2})\n"
    + _batch(_TOGETHER, _A, _OTHER),
    # Interest and redemptions: one of the bank's own accounts pays sixteen customers.
    "batch_interest": _batch(_each(_ANY), _THE_BANKS, _A),
    # A merchant's takings, collected: sixteen customers pay one and the same.
    "batch_merchant": _batch(_each("1"), _OTHER, _A_MERCHANTS),
}
