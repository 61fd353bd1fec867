"""Guards of proofs: passkeys, the PIN, the proof of identity, new devices."""

from tests.faults.mutants.mutant import Mutant

PASSKEYS, IDENTITY, DEVICES, PIN_RACES = (
    f"tests/finance/bank_session/test_{of}.py::test_" for of in ("passkeys", "identity", "devices", "pin_races")
)

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "a passkey signs without its user",
        PASSKEYS + "a_signature_from_elsewhere_over_something_else_or_without_the_user_is_refused",
        module=(
            "finance.bank_session.passkeys",
            ("credential_current_sign_count=key.sign_count,\n            require_user_verification=True"),
            ("credential_current_sign_count=key.sign_count,\n            require_user_verification=False"),
        ),
    ),
    Mutant(
        "a passkey is added without its user",
        PASSKEYS + "a_passkey_is_added_only_after_the_pin_soon_in_the_same_session_and_once",
        module=(
            "finance.bank_session.passkeys",
            ("expected_origin=settings.BANK_ORIGIN,\n            require_user_verification=True"),
            ("expected_origin=settings.BANK_ORIGIN,\n            require_user_verification=False"),
        ),
    ),
    Mutant(
        "a passkey signs on the chat's page",
        PASSKEYS + "a_signature_from_elsewhere_over_something_else_or_without_the_user_is_refused",
        module=(
            "finance.bank_session.passkeys",
            ("expected_origin=settings.BANK_ORIGIN,\n            credential_public_key"),
            ("expected_origin=[settings.BANK_ORIGIN, settings.APP_ORIGIN],\n            credential_public_key"),
        ),
    ),
    Mutant(
        "a counter may run backwards",
        PASSKEYS + "a_signature_whose_counter_runs_backwards_is_refused",
        module=(
            "finance.bank_session.passkeys",
            "credential_current_sign_count=key.sign_count",
            "credential_current_sign_count=0",
        ),
        off_modules=(
            (
                "finance.bank_session.passkeys",
                "(sign_count < %s OR (sign_count = 0 AND %s = 0))",
                "(%s IS NOT NULL OR %s IS NULL)",
            ),
        ),
    ),
    Mutant(
        "a passkey is anybody's",
        PASSKEYS + "nobody_else_s_passkey_and_none_that_was_removed_signs",
        module=(
            "finance.bank_session.passkeys",
            '"credential_id = %s AND person_id = %s AND removed_at IS NULL"',
            '"credential_id = %s AND %s IS NOT NULL AND removed_at IS NULL"',
        ),
    ),
    Mutant(
        "a removed passkey signs",
        PASSKEYS + "nobody_else_s_passkey_and_none_that_was_removed_signs",
        module=(
            "finance.bank_session.passkeys",
            '"credential_id = %s AND person_id = %s AND removed_at IS NULL"',
            '"credential_id = %s AND person_id = %s"',
        ),
        off_modules=(
            ("finance.bank_session.passkeys", "WHERE id = %s AND removed_at IS NULL AND", "WHERE id = %s AND"),
        ),
    ),
    Mutant(
        "the PIN is enough for any amount",
        PASSKEYS + "from_a_set_amount_on_the_pin_is_not_enough_for_somebody_who_has_a_passkey",
        module=("finance.bank_session.proofs", "        passkeys.refuse_pin_beyond(person_id, amount_fen)\n", ""),
    ),
    Mutant(
        "the PIN is enough once the passkey is gone",
        PASSKEYS + "taking_the_last_passkey_away_makes_the_pin_enough_only_a_day_later",
        module=("finance.bank_session.passkeys", "filter(present | gone,", "filter(present,"),
    ),
    Mutant(
        "a young key is worth as much as an old one",
        PASSKEYS + "a_key_that_the_pin_let_in_is_worth_no_more_than_the_pin_for_a_day",
        module=("finance.bank_session.proofs", "if not signature.counts:", "if False:"),
    ),
    Mutant(
        "a key is old at once",
        PASSKEYS + "a_key_that_the_pin_let_in_is_worth_no_more_than_the_pin_for_a_day",
        module=(
            "finance.bank_session.passkeys",
            "return added_at + timedelta(seconds=settings.PASSKEY_YOUNG_S)",
            "return added_at",
        ),
    ),
    Mutant(
        "a passkey is added twice for one statement",
        PASSKEYS + "a_passkey_is_added_only_after_the_pin_soon_in_the_same_session_and_once",
        module=("finance.bank_session.passkeys", "if Passkey.objects.filter(intent=intent).exists():", "if False:"),
        off="ALTER TABLE bank_session_passkey DROP CONSTRAINT bank_session_passkey_intent_id_key",
    ),
    Mutant(
        "a passkey is added whenever",
        PASSKEYS + "a_passkey_is_added_only_after_the_pin_soon_in_the_same_session_and_once",
        module=("finance.bank_session.passkeys", " or ended < soon:", ":"),
    ),
    Mutant(
        "a passkey is added in place of any deed",
        PASSKEYS + "a_transfer_that_was_confirmed_adds_no_passkey",
        module=("finance.bank_session.passkeys", "intent.kind != ADD or ", ""),
    ),
    Mutant(
        "a new device pays any amount",
        DEVICES + "a_new_device_pays_little_a_day_until_its_owner_proves_who_they_are_on_it",
        module=(
            "finance.bank_session.actions.confirming",
            "        devices.refuse_beyond(locked, verified=standing.device_verified)\n",
            "",
        ),
    ),
    Mutant(
        "each new device has a limit of its own",
        DEVICES + "new_devices_together_pay_no_more_than_one",
        module=(
            "finance.bank_session.devices",
            "    left = _left_today(intent.person_id)\n",
            "    done = Intent.objects.filter(device_id=intent.device_id, state=Intent.State.EXECUTED)\n"
            "    left = settings.NEW_DEVICE_DAY_FEN - sum(int(one.draft['amount_fen'] or 0) for one in done)\n",
        ),
    ),
    Mutant(
        "what a new device paid is forgotten",
        DEVICES + "a_new_device_pays_little_a_day_until_its_owner_proves_who_they_are_on_it",
        module=("finance.bank_session.devices", "NEW_DEVICE_DAY_FEN) - _paid_today(person_id)", "NEW_DEVICE_DAY_FEN)"),
    ),
    Mutant(
        "wrong proofs lock nothing",
        IDENTITY + "five_wrong_proofs_lock_and_then_the_right_one_is_refused_for_a_day",
        module=("finance.bank_session.identity", "WHEN p.attempts + 1 >= %(tries)s THEN", "WHEN %(tries)s < 0 THEN"),
    ),
    Mutant(
        "a lock of proofs is not looked at",
        IDENTITY + "five_wrong_proofs_lock_and_then_the_right_one_is_refused_for_a_day",
        module=(
            "finance.bank_session.identity",
            "WHERE p.locked_until IS NULL OR p.locked_until <= %(now)s",
            "WHERE %(now)s IS NOT NULL",
        ),
    ),
    Mutant(
        "proofs are counted after they are looked at",
        IDENTITY + "a_hundred_proofs_at_once_are_at_most_five_looks",
        module=(
            "finance.bank_session.identity",
            (
                "    left = settings.PROOF_TRIES - _count(person_id)\n"
                "    try:\n"
                "        right = _right(person_id, wanted, given, purpose)\n"
            ),
            (
                "    try:\n"
                "        right = _right(person_id, wanted, given, purpose)\n"
                "        left = settings.PROOF_TRIES - _count(person_id)\n"
            ),
        ),
    ),
    Mutant(
        "a proof is for any intent of its session",
        IDENTITY + "a_proof_is_for_one_intent_of_its_session",
        module=(
            "finance.bank_session.identity",
            "        intent=intent,\n        person_id=session.person_id,",
            "        person_id=session.person_id,",
        ),
    ),
    Mutant(
        "a proof is for any session",
        IDENTITY + "a_proof_is_for_its_sheet_alone_and_for_once",
        module=(
            "finance.bank_session.identity",
            ("        bank_session=session,\n        intent=intent,\n        person_id"),
            ("        intent=intent,\n        person_id"),
        ),
    ),
    Mutant(
        "a proof is used any number of times",
        IDENTITY + "a_proof_serves_once",
        module=("finance.bank_session.identity", "        used_at__isnull=True,\n", ""),
        off_modules=(
            (
                "finance.bank_session.actions.choosing",
                (
                    '    if intent.kind == pins.SET_PIN and pins.state(session.person_id) != "none":\n'
                    "        raise PinAlreadySet\n"
                ),
                "",
            ),
        ),
    ),
    Mutant(
        "a proof lives for ever",
        IDENTITY + "a_proof_is_for_its_sheet_alone_and_for_once",
        module=("finance.bank_session.identity", "        expires_at__gt=now(),\n", ""),
    ),
    Mutant(
        "a proof for the device chooses a PIN",
        DEVICES + "a_proof_for_the_device_chooses_no_pin",
        module=("finance.bank_session.identity", '        purpose__in=["first", "reset"],\n', ""),
    ),
    Mutant(
        "a right PIN opens a lock that fell meanwhile",
        PIN_RACES + "a_right_pin_does_not_open_a_lock_that_fell_while_it_was_checked",
        module=(
            "finance.bank_session.pins",
            ("        if verifier.locked_at is not None:\n            raise PinLocked\n"),
            "",
        ),
    ),
    Mutant(
        "a wrong PIN locks what is open again",
        PIN_RACES + "a_wrong_pin_does_not_lock_what_a_right_one_has_just_started_anew",
        module=("finance.bank_session.pins", " and verifier.attempts >= settings.PIN_TRIES", ""),
    ),
    Mutant(
        "a PIN that was replaced changes another",
        "tests/finance/bank_session/test_at_once.py::test_two_changes_of_one_pin_in_one_session_at_once_change_it_once",
        module=("finance.bank_session.pins", "(there if known is None else there.filter(encoded=known))", "there"),
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
