"""Guards of transfers, payouts and limits, and of keys of requests."""

from tests.faults.mutants.mutant import Mutant

PAYMENTS = "tests/finance/payments/"
TRANSFERS, PAYOUTS, RACES = (PAYMENTS + f"test_{of}.py::test_" for of in ("transfers", "payouts", "races"))

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "friends may part in the middle",
        PAYMENTS + "test_meanwhile.py::test_a_friendship_ends_after_the_transfer_that_it_lets_through",
        module=("finance.payments.intents", "order, hold=True)", "order)"),
    ),
    Mutant(
        "a limit is not asked",
        RACES + "a_days_limit_is_exact_with_many_hands_on_it",
        module=("finance.payments.limits", "        if counted:\n", "        if False:\n"),
    ),
    Mutant(
        "a limit forgets what was used before",
        RACES + "a_days_limit_is_exact_with_many_hands_on_it",
        module=(
            "finance.payments.limits",
            "used_fen = counter.used_fen + excluded.used_fen",
            "used_fen = excluded.used_fen",
        ),
    ),
    Mutant(
        "a limit comes back twice",
        RACES + "giving_a_limit_back_many_times_at_once_gives_it_back_once",
        module=("finance.payments.limits", "pk=key, given_back_at__isnull=True", "pk=key"),
    ),
    Mutant(
        "a finished transfer is received",
        RACES + "two_taps_on_receive_credit_once",
        module=(
            "finance.payments.actions.transfers",
            "    if transfer.state != Transfer.State.PENDING:\n        raise TransferFinished\n",
            "",
        ),
    ),
    Mutant(
        "an expired transfer is received",
        TRANSFERS + "the_edge_of_24_hours_is_sharp",
        module=("finance.payments.actions.transfers", "if business_now() >= transfer.expires_at", "if False"),
    ),
    Mutant(
        "a transfer expires early",
        TRANSFERS + "an_expiry_that_comes_early_does_nothing",
        module=("finance.payments.actions.transfers", " or business_now() < transfer.expires_at", ""),
    ),
    Mutant(
        "a payer receives their own transfer",
        TRANSFERS + "the_payer_neither_takes_nor_returns_their_own_transfer",
        module=("finance.payments.actions.transfers", "if transfer.payer_id == person_id", "if False"),
    ),
    Mutant(
        "strangers are paid",
        TRANSFERS + "money_goes_to_friends_only_and_never_to_the_bank",
        module=("finance.payments.access", "if not payee.friends", "if False"),
    ),
    Mutant(
        "the network may change its mind",
        PAYOUTS + "a_network_that_contradicts_itself_moves_nothing_twice_and_opens_a_break",
        module=(
            "finance.payments.actions.payouts",
            "    if payout.finished_at is not None:\n        if",
            "    if False:\n        if",
        ),
    ),
    Mutant(
        "a step is done twice",
        PAYOUTS + "a_step_of_a_payout_in_doubt_that_comes_twice_does_not_speak_again",
        module=("finance.payments.actions.payouts", "payout.steps != number or ", ""),
    ),
    Mutant(
        "a key answers for another body",
        TRANSFERS + "the_same_key_gives_the_same_bytes_and_another_body_nothing",
        module=("kernel.idempotency", "if bytes(stored.input_hash) != asked", "if False"),
    ),
    Mutant(
        "a repeat of a tap waits for the first",
        RACES + "the_same_tap_while_the_first_is_at_work_is_told_so_and_then_gets_the_same_bytes",
        module=("kernel.idempotency", "if not _try_lock(person_id, key)", "if False"),
    ),
)
