"""Locks. Their tests have one client hold and another wait, so that no luck is needed to see one that is gone."""

from tests.faults.mutants.mutant import Mutant, without

LEDGER, BANK, PAYMENTS, WEALTH = (
    f"tests/finance/{app}/test_locks.py::test_" for app in ("ledger", "bank_session", "payments", "wealth")
)

MUTANTS: tuple[Mutant, ...] = (
    # The ledger's.
    Mutant(
        "posting takes no lock beside a roll-up",
        LEDGER + "a_roll_up_does_not_pass_what_is_still_being_posted",
        function=("ledger_post_two", "PERFORM pg_advisory_xact_lock_shared(1818518642);", ""),
    ),
    Mutant(
        "posting a batch takes no lock beside a roll-up",
        LEDGER + "a_roll_up_does_not_pass_what_is_still_being_posted",
        function=("ledger_post", "PERFORM pg_advisory_xact_lock_shared(1818518642);", ""),
    ),
    Mutant(
        "a roll-up takes no lock beside posting",
        LEDGER + "a_roll_up_does_not_pass_what_is_still_being_posted",
        module=("finance.ledger.rollups", '"SELECT pg_advisory_xact_lock(%s)"', '"SELECT %s"'),
    ),
    Mutant(
        "two roll up at once",
        LEDGER + "one_rolls_up_at_a_time",
        module=("finance.ledger.rollups", "if not cursor.fetchone()[0]:", "if False:"),
    ),
    Mutant(
        "accounts are locked in the order of the legs",
        LEDGER + "accounts_are_locked_in_the_order_of_their_ids",
        function=("ledger_post_two", "IF p_to < p_from THEN", "IF false THEN"),
    ),
    Mutant(
        "accounts are locked in another order in a batch",
        LEDGER + "accounts_are_locked_in_the_order_of_their_ids",
        function=("ledger_post", "GROUP BY l.account ORDER BY l.account", "GROUP BY l.account ORDER BY l.account DESC"),
    ),
    Mutant(
        "accounts are locked in another order by a capture",
        LEDGER + "a_capture_locks_accounts_in_the_order_of_their_ids",
        function=(
            "ledger_post_captures",
            ("AND type = 'customer'\n        ORDER BY id FOR NO KEY UPDATE"),
            ("AND type = 'customer'\n        ORDER BY id DESC FOR NO KEY UPDATE"),
        ),
    ),
    Mutant(
        "a capture does not lock its hold",
        LEDGER + "a_capture_that_waited_for_the_same_one_is_its_replay",
        function=(
            "ledger_post_captures",
            ("PERFORM 1 FROM public.ledger_hold WHERE id = ANY (p_holds) ORDER BY id FOR NO KEY UPDATE;"),
            "",
        ),
    ),
    Mutant(
        "an ending does not lock its hold",
        LEDGER + "a_release_that_waited_for_the_same_one_is_its_replay",
        function=("ledger_end_hold", " FOR NO KEY UPDATE", ""),
        off=without("trigger", "ledger_hold", "ledger_hold_transition"),
    ),
    Mutant(
        "a hold takes its key before its account",
        LEDGER + "a_hold_waits_for_the_account_before_it_takes_its_key",
        function=("ledger_place_hold", " FOR NO KEY UPDATE", ""),
    ),
    Mutant(
        "an account is closed without its lock",
        LEDGER + "an_account_is_not_closed_over_a_credit_that_is_still_being_posted",
        module=(
            "finance.ledger.actions",
            "select_for_update(no_key=True).filter(pk=account_id)",
            "filter(pk=account_id)",
        ),
    ),
    # Those of the bank session and of keys.
    Mutant(
        "a hand-off is redeemed without its lock",
        BANK + "a_hand_off_that_is_being_redeemed_opens_no_second_session",
        module=("finance.bank_session.actions.sessions", "Handoff.objects.select_for_update()", "Handoff.objects"),
    ),
    Mutant(
        "an intent is confirmed without its lock",
        BANK + "a_confirmation_beside_the_same_one_is_in_flight_and_then_its_replay",
        module=("finance.bank_session.actions.confirming", " FOR NO KEY UPDATE SKIP LOCKED", ""),
        off=without("constraint", "bank_session_confirmation", "bank_session_confirmation_intent_id_key"),
    ),
    Mutant(
        "a confirmation does not lock its session",
        BANK + "a_session_that_is_being_closed_confirms_nothing",
        module=(
            "finance.bank_session.actions.confirming",
            "AND EXISTS (SELECT FROM locked) FOR NO KEY UPDATE",
            "AND EXISTS (SELECT FROM locked)",
        ),
    ),
    Mutant(
        "what is kept does not lock its session",
        BANK + "a_session_that_is_being_closed_keeps_nothing",
        module=("finance.bank_session.access", " FOR NO KEY UPDATE", ""),
    ),
    Mutant(
        "an intent is cancelled without its lock",
        BANK + "what_is_being_confirmed_is_not_cancelled",
        module=(
            "finance.bank_session.actions.confirming",
            (
                "Intent.objects.select_for_update(no_key=True).get(pk=intent.pk)\n"
                "        if locked.state == Intent.State.CANCELLED"
            ),
            ("Intent.objects.get(pk=intent.pk)\n        if locked.state == Intent.State.CANCELLED"),
        ),
        off=without("constraint", "bank_session_intent", "bank_intent_ended"),
    ),
    Mutant(
        "new devices do not wait for each other",
        BANK + "two_new_devices_of_one_person_wait_for_each_other",
        module=(
            "finance.bank_session.devices",
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))",
            "SELECT %s::text",
        ),
    ),
    Mutant(
        "a proof of identity is used without its lock",
        BANK + "a_proof_of_identity_is_used_once",
        module=(
            "finance.bank_session.identity",
            '.select_for_update(of=("self",)).order_by("-proved_at")',
            '.order_by("-proved_at")',
        ),
    ),
    Mutant(
        "a key that is at work is taken up again",
        "tests/kernel/test_idempotency.py::test_a_repeat_while_the_first_is_at_work_is_in_flight",
        module=("kernel.idempotency", "return bool(cursor.fetchone()[0])", "return True"),
    ),
    # Those of transfers, payouts and wealth.
    Mutant(
        "a transfer is looked at without its lock",
        PAYMENTS + "a_transfer_that_is_being_returned_is_not_received",
        module=(
            "finance.payments.access",
            "Transfer.objects.select_for_update() if lock",
            "Transfer.objects.all() if lock",
        ),
    ),
    Mutant(
        "a transfer expires without its lock",
        PAYMENTS + "a_transfer_that_is_being_received_does_not_expire",
        module=(
            "finance.payments.actions.transfers",
            (
                "Transfer.objects.select_for_update().get(pk=transfer_id)\n"
                "    if transfer.state != Transfer.State.PENDING or"
            ),
            ("Transfer.objects.get(pk=transfer_id)\n    if transfer.state != Transfer.State.PENDING or"),
        ),
    ),
    Mutant(
        "a payout's step takes no lock",
        PAYMENTS + "a_step_of_a_payout_that_is_being_done_is_not_done_again",
        module=(
            "finance.payments.actions.payouts",
            ("Payout.objects.select_for_update().get(pk=payout_id)\n    if payout.steps"),
            ("Payout.objects.get(pk=payout_id)\n    if payout.steps"),
        ),
    ),
    Mutant(
        "an order is confirmed without its lock",
        WEALTH + "an_order_that_is_being_cancelled_is_not_confirmed",
        module=(
            "finance.wealth.actions.settle",
            'Order.objects.select_for_update(of=("self",)).select_related',
            "Order.objects.select_related",
        ),
    ),
    Mutant(
        "an order is cancelled without its lock",
        WEALTH + "an_order_that_is_being_confirmed_is_not_cancelled",
        module=(
            "finance.wealth.access",
            'Order.objects.select_for_update(of=("self",)) if lock',
            "Order.objects.all() if lock",
        ),
    ),
    Mutant(
        "a NAV is approved without its lock",
        WEALTH + "a_nav_that_is_being_changed_is_not_approved_unseen",
        module=(
            "finance.wealth.access",
            'Nav.objects.select_for_update(of=("self",)) if lock',
            "Nav.objects.all() if lock",
        ),
    ),
    Mutant(
        "a draft is approved without its lock",
        WEALTH + "a_draft_that_is_being_changed_is_not_approved_unseen",
        module=(
            "finance.wealth.access",
            'ProductDraft.objects.select_for_update(of=("self",), no_key=True) if lock',
            "ProductDraft.objects.all() if lock",
        ),
    ),
    Mutant(
        "assessments are counted side by side",
        WEALTH + "assessments_of_one_person_are_counted_one_after_the_other",
        module=(
            "finance.wealth.actions.assess",
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            "SELECT %s::text",
        ),
    ),
)
