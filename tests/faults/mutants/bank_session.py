"""Guards of confirmations, bank sessions and receipts."""

from tests.faults.mutants.mutant import Mutant

BANK, PAYMENTS = "tests/finance/bank_session/", "tests/finance/payments/"
CONFIRMING = BANK + "test_confirming.py::test_"

MUTANTS: tuple[Mutant, ...] = (
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
        module=("finance.bank_session.actions.confirming", "if session.replaced and", "if False and"),
    ),
    Mutant(
        "a replaced token renews the statement",
        BANK + "test_step_up.py::test_whose_proof_s_answer_was_lost_looks_and_does_nothing_with_the_old_token",
        module=("finance.bank_session.api", "intent if session.replaced else actions", "actions"),
    ),
    Mutant(
        "a repeat is answered with other bytes",
        PAYMENTS + "test_replays.py::test_a_confirmation_that_comes_again_is_answered_with_the_same_bytes",
        module=("finance.bank_session.api", "_in_order(intent.result)", "intent.result"),
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
        "alerts of a device elsewhere bury the others",
        BANK + "test_thief.py::test_a_thief_who_opens_page_after_page_does_not_bury_what_else_is_told",
        module=("finance.bank_session.devices", "told.count() < TOLD_PER_HOUR", "True"),
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
        "the PIN may be guessed",
        BANK + "test_pin.py::test_five_wrong_pins_lock_and_then_the_right_one_is_answered_like_a_wrong_one",
        module=("finance.bank_session.pins", " AND attempts < %s", " AND %s > 0"),
    ),
    Mutant(
        "a hand-off opens any number of sessions",
        CONFIRMING + "a_handoff_opens_one_session_once",
        module=(
            "finance.bank_session.actions.sessions",
            "used_at__isnull=True, expires_at__gt=moment",
            "expires_at__gt=moment",
        ),
    ),
    Mutant(
        "a hand-off lives for ever",
        CONFIRMING + "a_handoff_is_good_for_a_minute",
        module=("finance.bank_session.actions.sessions", ", expires_at__gt=moment", ""),
    ),
    Mutant(
        "a session opens another's sign-in",
        CONFIRMING + "signing_out_of_the_chat_ends_handoffs_and_bank_sessions",
        module=("finance.bank_session.actions.sessions", " or not people.session_is_open(handoff.chat_session_id)", ""),
    ),
    Mutant(
        "a session is never idle too long",
        CONFIRMING + "a_session_ends_by_idleness_and_by_its_limit",
        module=(
            "finance.bank_session.access",
            "            used_at__gt=moment - timedelta(seconds=settings.BANK_IDLE_S),\n",
            "",
        ),
    ),
    Mutant(
        "a session lives for ever",
        CONFIRMING + "a_session_ends_by_idleness_and_by_its_limit",
        module=("finance.bank_session.access", "            expires_at__gt=moment,\n", ""),
    ),
    Mutant(
        "a closed session goes on",
        CONFIRMING + "a_session_that_was_closed_confirms_nothing",
        module=("finance.bank_session.access", "            ended_at__isnull=True,\n", ""),
        off_modules=(("finance.bank_session.actions.confirming", "AND ended_at IS NULL AND EXISTS", "AND EXISTS"),),
    ),
    Mutant(
        "an older session of the sign-in goes on",
        CONFIRMING + "the_token_changes_with_every_handoff",
        module=(
            "finance.bank_session.actions.sessions",
            ("        _live(handoff.chat_session_id).update(ended_at=moment, ended_why=BankSession.Ended.ROTATED)\n"),
            "",
        ),
    ),
    Mutant(
        "other origins write at the bank's doors",
        BANK + "test_tampering.py::test_no_other_origin_writes_on_the_bank_s",
        module=(
            "finance.bank_session.doors",
            ('request.method not in _READS and request.headers.get("Origin") != settings.BANK_ORIGIN'),
            "False",
        ),
        off_modules=(
            ("kernel.origins", "return origin == own", "return True"),
            ("kernel.origins", "return not cookies & request.COOKIES.keys()", "return True"),
        ),
    ),
    Mutant(
        "other origins write on either site",
        "tests/platform/test_origins.py::test_no_other_origin_writes_with_a_cookie",
        module=("kernel.origins", "return origin == own", "return True"),
    ),
    Mutant(
        "a cookie without an origin writes",
        "tests/platform/test_origins.py::test_a_cookie_without_an_origin_writes_nothing",
        module=("kernel.origins", "return not cookies & request.COOKIES.keys()", "return True"),
    ),
    Mutant(
        "other sites read at the bank's doors",
        BANK + "test_tampering.py::test_a_browser_that_comes_from_another_page_is_told_nothing",
        module=(
            "finance.bank_session.doors",
            'if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN_SITES',
            "if False",
        ),
    ),
    Mutant(
        "what was executed is cancelled",
        CONFIRMING + "an_executed_intent_is_not_cancelled",
        module=(
            "finance.bank_session.actions.confirming",
            ("        if locked.state != Intent.State.PREPARED:\n            raise IntentOver\n        locked.state"),
            "        locked.state",
        ),
        off="ALTER TABLE bank_session_intent DROP CONSTRAINT bank_intent_ended",
    ),
    Mutant(
        "an intent's id is taken for something else",
        CONFIRMING + "an_intent_s_id_is_not_taken_for_something_else_nor_by_somebody_else",
        module=(
            "finance.bank_session.actions.preparing",
            "bytes(known.input_hash) != bytes(asked.input_hash)",
            "False",
        ),
    ),
    Mutant(
        "a statement is confirmed after its time",
        CONFIRMING + "a_statement_is_not_confirmed_after_its_time",
        module=(
            "finance.bank_session.actions.confirming",
            "intent.valid_until is not None and intent.valid_until <= business_now()",
            "False",
        ),
    ),
    Mutant(
        "a repeat of a confirmation waits for the first",
        BANK + "test_replays.py::test_a_repeat_while_the_first_is_at_work_is_told_so_and_then_gets_the_same_bytes",
        module=("finance.bank_session.actions.confirming", " SKIP LOCKED", ""),
    ),
)
