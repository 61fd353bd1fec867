"""Guards of the ledger."""

from tests.faults.mutants.mutant import Mutant, without

LEDGER = "tests/finance/ledger/"
GUARDS, POSTING, FUNCTIONS = (LEDGER + f"test_{of}.py::test_" for of in ("guards", "posting", "functions"))

LAST_CHECKS = (
    "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_available;"
    "ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_after"
)
FOUR_EYES = "ALTER TABLE ledger_reversalrequest DROP CONSTRAINT ledger_reversal_four_eyes"
CEILING_CHECK = "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_ceiling"

MUTANTS: tuple[Mutant, ...] = (
    # The database's own guards.
    Mutant(
        "no zero-sum trigger",
        GUARDS + "an_entry_that_does_not_add_up_is_not_written",
        sql=without("trigger", "ledger_posting", "ledger_posting_zero_sum"),
    ),
    Mutant(
        "no full-entry trigger",
        GUARDS + "an_entry_is_not_left_empty_for_later",
        sql=without("trigger", "ledger_entry", "ledger_entry_full"),
    ),
    Mutant(
        "entries can be changed",
        GUARDS + "a_trigger_keeps_the_books_from_those_who_have_every_right",
        sql=without("trigger", "ledger_entry", "ledger_entry_append_only"),
    ),
    Mutant(
        "postings can be changed",
        GUARDS + "a_trigger_keeps_the_books_from_those_who_have_every_right",
        sql=without("trigger", "ledger_posting", "ledger_posting_append_only"),
    ),
    Mutant(
        "the server may change the books",
        GUARDS + "the_server_s_role_has_no_right_to_change_the_books",
        sql="GRANT UPDATE, DELETE, TRUNCATE ON ledger_entry, ledger_posting TO rongliao_app",
    ),
    Mutant(
        "no CHECK on what is available",
        GUARDS + "no_account_is_set_below_what_is_held_or_above_its_ceiling",
        sql=without("constraint", "ledger_account", "ledger_account_available"),
    ),
    Mutant(
        "no CHECK on the ceiling",
        GUARDS + "no_account_is_set_below_what_is_held_or_above_its_ceiling",
        sql=CEILING_CHECK,
    ),
    Mutant(
        "the bank's own accounts may keep a balance",
        GUARDS + "the_bank_s_own_accounts_keep_nothing_in_their_row",
        sql=without("trigger", "ledger_account", "ledger_account_internal"),
    ),
    Mutant(
        "an account may become another's",
        GUARDS + "an_account_stays_what_it_is",
        sql=without("trigger", "ledger_account", "ledger_account_kind"),
    ),
    Mutant(
        "a place in an entry can be taken twice",
        GUARDS + "a_full_entry_has_no_room_for_another_posting",
        sql=without("constraint", "ledger_posting", "ledger_posting_leg"),
    ),
    Mutant(
        "an entry has places beyond its last",
        GUARDS + "a_full_entry_has_no_room_for_another_posting",
        sql=without("constraint", "ledger_posting", "ledger_posting_place"),
    ),
    Mutant(
        "a hold can open again",
        GUARDS + "a_hold_that_has_ended_does_not_open_again",
        sql=without("trigger", "ledger_hold", "ledger_hold_transition"),
    ),
    Mutant(
        "holds can be removed",
        GUARDS + "accounts_and_holds_are_not_removed",
        sql=without("trigger", "ledger_hold", "ledger_hold_kept"),
    ),
    Mutant(
        "accounts can be removed",
        GUARDS + "accounts_and_holds_are_not_removed",
        sql=without("trigger", "ledger_account", "ledger_account_kept"),
    ),
    Mutant(
        "an entry can be reversed twice",
        GUARDS + "an_entry_has_one_reversal",
        sql="DROP INDEX ledger_reversed_once",
    ),
    Mutant(
        "an entry may reverse one that there is not",
        GUARDS + "an_entry_reverses_one_that_there_is",
        sql=without("trigger", "ledger_entry", "ledger_entry_reverses"),
    ),
    Mutant(
        "sums are not looked at",
        GUARDS + "an_entry_that_does_not_add_up_is_not_written",
        function=("ledger_postings_add_up", "p.total <> 0", "false"),
    ),
    Mutant(
        "legs are not counted",
        GUARDS + "an_entry_that_lacks_a_leg_is_not_written",
        function=("ledger_postings_add_up", "p.found IS DISTINCT FROM p.said", "false"),
    ),
    Mutant(
        "a posting may say another number of legs",
        GUARDS + "a_posting_believes_what_its_entry_says",
        function=("ledger_postings_add_up", "p.least <> p.said OR p.most <> p.said", "false"),
    ),
    Mutant(
        "a posting may stand on the wrong side",
        GUARDS + "a_posting_needs_an_entry_and_an_account_and_stands_on_the_account_s_side",
        function=("ledger_postings_add_up", "IS DISTINCT FROM (n.seq IS NOT NULL)", "IS NULL AND false"),
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
        function=("ledger_post", ">= a.held_fen", ">= -9999999999"),
        off=LAST_CHECKS,
    ),
    Mutant(
        "a payer who captures or was refused may have too little",
        POSTING + "a_batch_is_posted_whole_or_not_at_all",
        function=("ledger_post_captures", ">= a.held_fen - coalesce(f.amount, 0)", ">= -9999999999"),
        off=LAST_CHECKS,
    ),
    Mutant(
        "a batch that an account does not take part in is left as it is",
        FUNCTIONS + "a_batch_whose_old_part_alone_would_pass_what_is_available_is_a_replay",
        function=("ledger_post", "IF NOT v_banks THEN", "IF false THEN"),
    ),
    Mutant(
        "a key that is known stops a batch",
        POSTING + "a_batch_of_old_and_new_posts_the_new",
        function=("ledger_post", "WHEN unique_violation OR", "WHEN"),
    ),
    Mutant(
        "a batch may lend within itself",
        POSTING + "a_batch_may_not_lend_within_itself",
        sql=without("constraint", "ledger_posting", "ledger_posting_after"),
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
        function=("ledger_post_captures", "h.state = 'open' AND", ""),
        off=without("trigger", "ledger_hold", "ledger_hold_transition")
        + "; ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_available",
    ),
    Mutant(
        "a hold pays from another account",
        POSTING + "a_capture_cannot_take_another_account_for_the_hold_s",
        function=("ledger_post_captures", "h.account_id = c.account", "true"),
    ),
    # What the other functions look at.
    Mutant(
        "a hold's key stands for any hold",
        FUNCTIONS + "the_key_of_a_hold_stands_for_that_hold_alone",
        function=("ledger_place_hold", "v_hash <> p_hash", "false"),
    ),
    Mutant(
        "a frozen account is held from",
        FUNCTIONS + "a_hold_takes_nothing_from_a_frozen_account",
        function=("ledger_place_hold", "AND status = 'open' AND", "AND"),
    ),
    Mutant(
        "a hold ends twice",
        POSTING + "a_hold_ends_once_and_its_own_key_again_is_a_replay",
        function=("ledger_end_hold", "h.state <> 'open'", "false"),
        off=without("trigger", "ledger_hold", "ledger_hold_transition") + f"; {LAST_CHECKS}",
    ),
    Mutant(
        "an ending with its own key again is another",
        POSTING + "a_hold_ends_once_and_its_own_key_again_is_a_replay",
        function=("ledger_end_hold", "h.state = p_state AND h.closed_key = p_key", "false"),
    ),
    Mutant(
        "any key ends a hold that has ended",
        POSTING + "a_hold_ends_once_and_its_own_key_again_is_a_replay",
        function=("ledger_end_hold", "AND h.closed_key = p_key", ""),
    ),
    Mutant(
        "a key in a batch stands for any entry",
        FUNCTIONS + "the_key_of_an_entry_in_a_batch_stands_for_that_entry_alone",
        function=("ledger_post_captures", "e.input_hash <> a.hash", "false"),
    ),
    Mutant(
        "a frozen account gives in a batch that was refused",
        FUNCTIONS + "a_batch_takes_nothing_from_a_frozen_account_and_moves_no_closed_one",
        function=(
            "ledger_post_captures",
            "(a.status = 'open' OR (a.status = 'frozen' AND m.total >= 0))",
            "a.status <> 'closed'",
        ),
    ),
    Mutant(
        "a frozen account gives in a batch",
        FUNCTIONS + "a_batch_takes_nothing_from_a_frozen_account_and_moves_no_closed_one",
        function=(
            "ledger_post",
            "(a.status = 'open' OR (a.status = 'frozen' AND m.total >= 0))",
            "a.status <> 'closed'",
        ),
    ),
    Mutant(
        "a closed account moves in a batch",
        FUNCTIONS + "a_batch_takes_nothing_from_a_frozen_account_and_moves_no_closed_one",
        function=(
            "ledger_post",
            "(a.status = 'open' OR (a.status = 'frozen' AND m.total >= 0))",
            "(a.status <> 'frozen' OR m.total >= 0)",
        ),
    ),
    Mutant(
        "a closed account of the bank's own moves in a batch",
        FUNCTIONS + "a_batch_moves_no_closed_account_of_the_bank_s_own_and_leaves_the_others_as_they_were",
        function=("ledger_post", "i.type = 'internal' AND i.status = 'open'", "i.type = 'internal'"),
    ),
    Mutant(
        "a batch is written although an account does not take part",
        FUNCTIONS + "a_batch_takes_nothing_from_a_frozen_account_and_moves_no_closed_one",
        function=("ledger_post", "SELECT FROM rest r WHERE NOT r.banks", "SELECT FROM rest r WHERE false"),
    ),
    Mutant(
        "a capture passes a ceiling",
        FUNCTIONS + "a_capture_does_not_pass_the_payee_s_ceiling",
        function=("ledger_post_captures", "a.balance_fen + m.total <= a.ceiling_fen", "true"),
        off=CEILING_CHECK,
    ),
    Mutant(
        "more is captured than was held",
        FUNCTIONS + "no_more_is_captured_than_was_held",
        function=("ledger_post_captures", "c.amount BETWEEN -h.amount_fen AND -1", "true"),
    ),
    Mutant(
        "a hold is captured by two entries",
        FUNCTIONS + "a_hold_is_not_captured_by_two_entries_of_one_batch",
        function=("ledger_post_captures", "v_taken < cardinality(v_holds)", "false"),
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
        sql=without("trigger", "ledger_reversalrequest", "ledger_reversal_guard"),
    ),
    # Who may do what.
    Mutant(
        "somebody else's account",
        LEDGER + "test_api.py::test_somebody_else_s_account_does_not_exist",
        module=("finance.ledger.access", "owner_id = %s AND", "%s IS NOT NULL AND"),
    ),
)
