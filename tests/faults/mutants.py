"""The guards of money, each taken away once, and the test that must notice.

A mutant is SQL on the test's database, a function of the database with some words changed, or a module with some words
changed. Where another guard of the same thing would cover for it, `off` switches that one off; with the guard in place
and only `off` done, the test must pass.
"""

from dataclasses import dataclass

LEDGER, BANK, PAYMENTS = "tests/finance/ledger/", "tests/finance/bank_session/", "tests/finance/payments/"
GUARDS, POSTING = LEDGER + "test_guards.py::test_", LEDGER + "test_posting.py::test_"
CONFIRMING, TRANSFERS = BANK + "test_confirming.py::test_", PAYMENTS + "test_transfers.py::test_"
PAYOUTS, RACES = PAYMENTS + "test_payouts.py::test_", PAYMENTS + "test_races.py::test_"

LAST_CHECKS = (
    "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_available;"
    "ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_after"
)
FOUR_EYES = "ALTER TABLE ledger_reversalrequest DROP CONSTRAINT ledger_reversal_four_eyes"
CEILING_CHECK = "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_ceiling"


@dataclass(frozen=True)
class Mutant:
    """`change`: SQL; or (function of the database, words, other words); or (module, words, other words)."""

    name: str
    test: str
    sql: str = ""
    function: tuple[str, str, str] | None = None
    module: tuple[str, str, str] | None = None
    off: str = ""


def _without(kind: str, table: str, name: str) -> str:
    if kind == "trigger":
        return f"DROP TRIGGER {name} ON {table}"
    return f"ALTER TABLE {table} DROP CONSTRAINT {name}"


MUTANTS: tuple[Mutant, ...] = (
    # The database's own guards.
    Mutant(
        "no zero-sum trigger",
        GUARDS + "an_entry_that_does_not_add_up_is_not_written",
        sql=_without("trigger", "ledger_posting", "ledger_posting_zero_sum"),
    ),
    Mutant(
        "no full-entry trigger",
        GUARDS + "an_entry_is_not_left_empty_for_later",
        sql=_without("trigger", "ledger_entry", "ledger_entry_full"),
    ),
    Mutant(
        "entries can be changed",
        GUARDS + "a_trigger_keeps_the_books_from_those_who_have_every_right",
        sql=_without("trigger", "ledger_entry", "ledger_entry_append_only"),
    ),
    Mutant(
        "postings can be changed",
        GUARDS + "a_trigger_keeps_the_books_from_those_who_have_every_right",
        sql=_without("trigger", "ledger_posting", "ledger_posting_append_only"),
    ),
    Mutant(
        "the server may change the books",
        GUARDS + "the_server_s_role_has_no_right_to_change_the_books",
        sql="GRANT UPDATE, DELETE, TRUNCATE ON ledger_entry, ledger_posting TO rongliao_app",
    ),
    Mutant(
        "no CHECK on what is available",
        GUARDS + "no_account_is_set_below_what_is_held_or_above_its_ceiling",
        sql=_without("constraint", "ledger_account", "ledger_account_available"),
    ),
    Mutant(
        "no CHECK on the ceiling",
        GUARDS + "no_account_is_set_below_what_is_held_or_above_its_ceiling",
        sql=CEILING_CHECK,
    ),
    Mutant(
        "the bank's own accounts may keep a balance",
        GUARDS + "the_bank_s_own_accounts_keep_nothing_in_their_row",
        sql=_without("constraint", "ledger_account", "ledger_account_internal"),
    ),
    Mutant(
        "an account may become another's",
        GUARDS + "an_account_stays_what_it_is",
        sql=_without("trigger", "ledger_account", "ledger_account_kind"),
    ),
    Mutant(
        "a place in an entry can be taken twice",
        GUARDS + "a_full_entry_has_no_room_for_another_posting",
        sql=_without("constraint", "ledger_posting", "ledger_posting_leg"),
    ),
    Mutant(
        "an entry has places beyond its last",
        GUARDS + "a_full_entry_has_no_room_for_another_posting",
        sql=_without("constraint", "ledger_posting", "ledger_posting_place"),
    ),
    Mutant(
        "a hold can open again",
        GUARDS + "a_hold_that_has_ended_does_not_open_again",
        sql=_without("trigger", "ledger_hold", "ledger_hold_transition"),
    ),
    Mutant(
        "holds can be removed",
        GUARDS + "accounts_and_holds_are_not_removed",
        sql=_without("trigger", "ledger_hold", "ledger_hold_kept"),
    ),
    Mutant(
        "accounts can be removed",
        GUARDS + "accounts_and_holds_are_not_removed",
        sql=_without("trigger", "ledger_account", "ledger_account_kept"),
    ),
    Mutant(
        "an entry can be reversed twice",
        GUARDS + "an_entry_has_one_reversal",
        sql="DROP INDEX ledger_reversed_once",
    ),
    Mutant(
        "sums are not looked at",
        GUARDS + "an_entry_that_does_not_add_up_is_not_written",
        function=("ledger_postings_add_up", "sum(p.amount_fen) <> 0", "false"),
    ),
    Mutant(
        "legs are not counted",
        GUARDS + "an_entry_that_lacks_a_leg_is_not_written",
        function=("ledger_postings_add_up", "count(*) IS DISTINCT FROM p.said", "false"),
    ),
    Mutant(
        "a posting may say another number of legs",
        GUARDS + "a_posting_believes_what_its_entry_says",
        function=("ledger_postings_add_up", "bool_or(p.legs <> p.said)", "false"),
    ),
    Mutant(
        "a posting may stand on the wrong side",
        GUARDS + "a_posting_needs_an_entry_and_an_account_and_stands_on_the_account_s_side",
        function=("ledger_postings_add_up", "IS DISTINCT FROM (p.seq IS NOT NULL)", "IS NULL AND false"),
    ),
    # What the posting functions look at.
    Mutant(
        "a payer may have too little",
        POSTING + "nobody_spends_more_than_is_available",
        function=("ledger_post_two", ">= a.held_fen", ">= -9999999999"),
        off=LAST_CHECKS,
    ),
    Mutant(
        "a payer in a batch may have too little",
        POSTING + "a_batch_is_posted_whole_or_not_at_all",
        function=("ledger_post", ">= a.held_fen - coalesce(f.amount, 0)", ">= -9999999999"),
        off=LAST_CHECKS,
    ),
    Mutant(
        "a batch may lend within itself",
        POSTING + "a_batch_may_not_lend_within_itself",
        sql=_without("constraint", "ledger_posting", "ledger_posting_after"),
    ),
    Mutant(
        "a payee may pass the ceiling",
        POSTING + "a_ceiling_holds_to_the_fen",
        function=("ledger_post_two", "<= a.ceiling_fen", "<= 9999999999"),
        off=CEILING_CHECK,
    ),
    Mutant(
        "a frozen account gives",
        POSTING + "a_frozen_account_takes_money_and_gives_none",
        function=("ledger_post_two", "a.status = 'open'", "a.status <> 'closed'"),
    ),
    Mutant(
        "a closed account moves",
        POSTING + "a_closed_account_moves_no_more_and_only_an_empty_one_is_closed",
        function=("ledger_post_two", "a.status = 'open'", "a.status <> 'frozen'"),
    ),
    Mutant(
        "a key stands for anything",
        POSTING + "the_same_key_with_another_input_is_refused",
        function=("ledger_post_two", "v_hash <> p_hash", "false"),
    ),
    Mutant(
        "a replay keeps what it added",
        POSTING + "a_repeat_with_the_same_key_changes_nothing_and_names_the_same_entry",
        function=(
            "ledger_post_two",
            "a.balance_fen - CASE a.id WHEN v_account_1 THEN v_fen_1 ELSE v_fen_2 END",
            "a.balance_fen",
        ),
    ),
    Mutant(
        "a hold may exceed what is available",
        LEDGER + "test_races.py::test_holds_that_compete_for_one_account_hold_exactly_what_is_in_it",
        function=("ledger_place_hold", "balance_fen - held_fen >= p_amount", "true"),
        off=LAST_CHECKS,
    ),
    Mutant(
        "a hold is captured twice",
        POSTING + "a_hold_ends_once_and_its_own_key_again_is_a_replay",
        function=("ledger_post", "h.state = 'open' AND", ""),
        off=_without("trigger", "ledger_hold", "ledger_hold_transition")
        + "; ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_available",
    ),
    Mutant(
        "a hold pays from another account",
        POSTING + "a_capture_cannot_take_another_account_for_the_hold_s",
        function=("ledger_post", "h.account_id = c.account", "true"),
    ),
    # The proofs.
    Mutant(
        "weighed sums are believed",
        LEDGER + "test_verify.py::test_weighed_sums_find_what_the_exact_rules_find",
        module=("finance.ledger.verify", "bool(holds and legs == expected and weighed == 0)", "True"),
    ),
    Mutant(
        "each minute looks at what is new alone",
        LEDGER + "test_rolling.py::test_what_is_altered_in_old_books_is_found_within_two_rounds",
        module=("finance.ledger.verify", "rolling.look_on(cursor, cursors, upto)", "(None, 0)"),
    ),
    Mutant(
        "the rounds forget the bank's own accounts",
        LEDGER + "test_rolling.py::test_what_is_altered_in_old_books_is_found_within_two_rounds",
        module=("finance.ledger.rolling", "if fen != found:", "if False:"),
    ),
    Mutant(
        "proofs pile up",
        LEDGER + "test_verify.py::test_one_proof_is_at_work_at_a_time",
        module=("finance.ledger.verify", "if not mine:", "if False:"),
    ),
    # The end of the day.
    Mutant(
        "the day is cut where the job runs",
        LEDGER + "test_closing.py::test_what_is_posted_before_the_close_runs_is_in_the_day_of_its_booking",
        module=("finance.ledger.closing", "AND p.at < %(cut)s", ""),
    ),
    # Reversals.
    Mutant(
        "one person reverses an entry",
        LEDGER + "test_reversals.py::test_whoever_entered_it_does_not_decide_even_with_both_roles",
        module=("finance.ledger.reversals", "request.maker_id == checker_id", "False"),
        off=FOUR_EYES,
    ),
    Mutant(
        "no CHECK for two people",
        LEDGER + "test_reversals.py::test_the_database_wants_two_people_too",
        sql=FOUR_EYES,
    ),
    Mutant(
        "a reversal is asked for twice",
        LEDGER + "test_reversals.py::test_many_who_ask_and_decide_at_once_take_it_back_once",
        sql="DROP INDEX ledger_reversal_asked_once",
    ),
    Mutant(
        "a decided reversal is changed",
        LEDGER + "test_reversals.py::test_a_decided_request_is_not_changed_by_anybody",
        sql=_without("trigger", "ledger_reversalrequest", "ledger_reversal_guard"),
    ),
    # Who may do what.
    Mutant(
        "somebody else's account",
        LEDGER + "test_api.py::test_somebody_else_s_account_does_not_exist",
        module=("finance.ledger.access", "owner_id = %s AND", "%s IS NOT NULL AND"),
    ),
    Mutant(
        "any statement will do",
        BANK + "test_tampering.py::test_no_change_to_any_field_of_the_statement_is_accepted",
        module=(
            "finance.bank_session.actions.confirming",
            "    if not _fits(intent, statement_hash):\n        raise StatementStale\n",
            "",
        ),
    ),
    Mutant(
        "a challenge lives for ever",
        CONFIRMING + "a_challenge_lives_two_minutes_and_is_renewed_over_the_same_words",
        module=("finance.bank_session.actions.confirming", "intent.challenged_until <= now()", "False"),
    ),
    Mutant(
        "an intent lives for ever",
        CONFIRMING + "an_intent_expires",
        module=("finance.bank_session.actions.confirming", " or intent.expires_at <= now()", ""),
    ),
    Mutant(
        "what is done is not said again",
        CONFIRMING + "a_statement_that_went_stale_is_refused_with_the_fresh_one",
        module=(
            "finance.bank_session.actions.confirming",
            "deed.draft.words() != locked.draft",
            "False",
        ),
    ),
    Mutant(
        "another's intent",
        BANK + "test_tampering.py::test_an_intent_of_another_person_another_device_or_nobody_does_not_exist",
        module=(
            "finance.bank_session.access",
            "person_id = %s AND device_id = %s AND chat_session_id = %s",
            "(%s, %s, %s) IS NOT NULL",
        ),
    ),
    Mutant(
        "a sign-in that is over confirms",
        BANK + "test_pin_races.py::test_what_a_device_has_under_way_is_not_confirmed_once_it_is_signed_out",
        module=("finance.bank_session.actions.confirming", "standing.session_open and answers.to(sign_in)", "True"),
    ),
    Mutant(
        "a passkey that is gone confirms",
        BANK + "test_at_once.py::test_a_passkey_that_goes_after_it_signed_moves_nothing",
        module=("finance.bank_session.passkeys", "WHERE id = %s AND removed_at IS NULL AND", "WHERE id = %s AND"),
    ),
    Mutant(
        "a copied passkey signs beside the real one",
        BANK + "test_passkeys.py::test_a_signature_given_at_many_places_at_once_is_taken_at_one",
        module=(
            "finance.bank_session.passkeys",
            "(sign_count < %s OR (sign_count = 0 AND %s = 0))",
            "(%s IS NOT NULL OR %s IS NULL)",
        ),
    ),
    Mutant(
        "a device's id alone is believed",
        BANK + "test_thief.py::test_a_chat_session_in_another_browser_is_a_new_device_even_with_the_pin",
        module=(
            "finance.bank_session.actions.sessions",
            "devices.knows(handoff.person_id, handoff.device_id, device_token)",
            "True",
        ),
    ),
    Mutant(
        "a token from before the first proof stays good",
        BANK + "test_step_up.py::test_a_token_from_before_the_first_proof_opens_nothing_after_it",
        module=(
            "finance.bank_session.step_up",
            "SET token_hash = %s, earlier_hash = token_hash",
            "SET earlier_hash = %s",
        ),
    ),
    Mutant(
        "a session is for any intent before a proof",
        BANK + "test_step_up.py::test_before_a_proof_a_session_is_for_the_one_intent_it_was_opened_for",
        module=("finance.bank_session.access", "session.intent_id not in (None, intent_id)", "False"),
    ),
    Mutant(
        "a replaced token confirms",
        BANK + "test_step_up.py::test_whose_proof_s_answer_was_lost_looks_and_does_nothing_with_the_old_token",
        module=("finance.bank_session.actions.confirming", "if session.replaced:", "if False:"),
    ),
    Mutant(
        "a PIN is looked at before the proof",
        BANK + "test_pin.py::test_without_a_proof_nothing_is_said_of_a_pin",
        module=(
            "finance.bank_session.actions.choosing",
            "    known = None\n",
            "    pins.refuse_guessable(session.person_id, pin)\n    known = None\n",
        ),
    ),
    Mutant(
        "a verified device elsewhere is told to nobody",
        BANK
        + "test_thief.py::test_a_verified_device_that_opens_the_bank_s_page_elsewhere_is_told_once_for_each_session",
        module=("finance.bank_session.actions.sessions", "if not known and", "if known and"),
    ),
    Mutant(
        "a receipt that cannot be signed is passed over for good",
        BANK + "test_receipt_sweep.py::test_one_that_cannot_be_signed_keeps_no_other_back_and_is_not_forgotten",
        module=("finance.bank_session.receipt_sweep", "            if not failed:\n", "            if True:\n"),
    ),
    Mutant(
        "any token makes a device known",
        BANK + "test_thief.py::test_a_token_of_somebody_else_or_of_another_device_makes_none_known",
        module=("finance.bank_session.devices", "person_id=person_id, device_id=device_id, token_hash", "token_hash"),
    ),
    Mutant(
        "a session that is over keeps a passkey",
        BANK + "test_thief.py::test_no_passkey_is_kept_once_its_session_is_over",
        module=("finance.bank_session.passkeys", "        still_open(session)\n", ""),
    ),
    Mutant(
        "an altered receipt is shown as whole",
        BANK + "test_receipts.py::test_the_public_page_believes_no_receipt_that_was_altered_in_the_database",
        module=(
            "finance.bank_session.receipts",
            "        raise NotFound from None\n    return receipt",
            "    return receipt",
        ),
    ),
    Mutant(
        "friends may part in the middle",
        PAYMENTS + "test_meanwhile.py::test_a_friendship_ends_after_the_transfer_that_it_lets_through",
        module=("finance.payments.intents", "order, hold=True)", "order)"),
    ),
    Mutant(
        "the PIN may be guessed",
        BANK + "test_pin.py::test_five_wrong_pins_lock_and_then_the_right_one_is_answered_like_a_wrong_one",
        module=("finance.bank_session.pins", " AND attempts < %s", " AND %s > 0"),
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
    Mutant(
        "a repeat of a confirmation waits for the first",
        BANK + "test_replays.py::test_a_repeat_while_the_first_is_at_work_is_told_so_and_then_gets_the_same_bytes",
        module=("finance.bank_session.actions.confirming", " SKIP LOCKED", ""),
    ),
    Mutant(
        "nobody need be there to sign",
        "tests/faults/test_forgery.py::test_no_forged_signature_is_accepted",
        module=("finance.bank_session.passkeys", "require_user_verification=True", "require_user_verification=False"),
    ),
    Mutant(
        "a signature is over whatever it says it is",
        "tests/faults/test_forgery.py::test_no_altered_statement_is_confirmed_and_no_altered_books_are_believed",
        module=(
            "finance.bank_session.passkeys",
            "expected_challenge=statement_hash,",
            'expected_challenge=webauthn.helpers.parse_client_data_json(base64url_to_bytes(credential["response"]'
            '["clientDataJSON"])).challenge,',
        ),
    ),
)
