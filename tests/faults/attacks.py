"""What is tried against each guard that the database's catalogue knows of; rows and attacks are SQL.

A guard that is named neither here nor in `mutants` nor, with a reason, in EXEMPT fails the build.
"""

ROWS: dict[str, dict[str, str]] = {
    # A row that keeps all rules of its table and is as near to breaking them as can be.
    "bank_session_intent": {"state": "'prepared'"},
    "ledger_account": {"balance_fen": "0", "held_fen": "0", "posted_count": "0"},
    "ledger_entry": {"legs": "2"},
    "ledger_hold": {"state": "'open'"},
    "ledger_posting": {"legs": "2"},
    "ledger_reversalrequest": {"state": "'waiting'"},
    "payments_clearingbreak": {"payout_id": "gen_random_uuid()"},
    "payments_limitcounter": {"used_fen": "0"},
    "payments_payout": {"state": "'accepted'"},
    "payments_transfer": {"state": "'pending'"},
    "services_alert": {"direction": "'in'", "outcome": "'held'"},
    "wealth_nav": {"status": "'draft'"},
    "wealth_order": {"state": "'accepted'", "hold_id": "gen_random_uuid()", "amount_fen": "2"},
    "wealth_product": {
        "nav_scale": "10000",
        "quota_fen": "1",
        "sale_from": "current_date",
        "sale_until": "current_date",
    },
    "wealth_productdraft": {"state": "'waiting'", "purpose": "'off_sale'"},
}

CHECKS: dict[str, tuple[str, ...]] = {
    # Each is a change of that row which this rule refuses.
    "bank_intent_ended": (
        "state = 'executed'",
        "state = 'executed', ended_at = now()",
        "state = 'cancelled'",
        "state = 'cancelled', ended_at = now(), result = '{}'",
        "state = 'gone', ended_at = now()",
        "ended_at = now()",
        "result = '{}'",
    ),
    "ledger_account_available": ("balance_fen = -1", "held_fen = 1", "held_fen = -1"),
    "ledger_account_ceiling": ("ceiling_fen = 10, balance_fen = 11",),
    "ledger_entry_two_legs": ("legs = 1",),
    "ledger_hold_amount": ("amount_fen = 0",),
    "ledger_hold_closed": (
        "state = 'captured'",
        "state = 'released'",
        "state = 'captured', closed_at = now(), closed_key = 'x'",
        "state = 'expired', closed_at = now(), closed_key = 'x', entry_id = gen_random_uuid()",
        "closed_at = now()",
        "closed_key = 'x'",
        "entry_id = gen_random_uuid()",
        "state = 'gone', closed_at = now(), closed_key = 'x'",
    ),
    "ledger_posting_after": (
        "seq = 1, balance_after_fen = -1",
        "seq = 0, balance_after_fen = 0",
        "seq = 1, balance_after_fen = NULL",
        "seq = NULL, balance_after_fen = 0",
    ),
    "ledger_posting_amount": ("amount_fen = 0",),
    "ledger_posting_place": ("leg = 0", "leg = 3"),
    "ledger_one_cursor": ("id = 2", "id = 0"),
    "ledger_reversal_decided": (
        "state = 'approved'",
        "state = 'refused'",
        "state = 'withdrawn'",
        "checker_id = gen_random_uuid()",
        "closed_at = now()",
        "reversal_id = gen_random_uuid()",
        "state = 'approved', checker_id = gen_random_uuid(), closed_at = now()",
        "state = 'refused', closed_at = now()",
    ),
    "ledger_reversal_four_eyes": ("checker_id = maker_id",),
    "break_of_one_thing": ("transfer_id = gen_random_uuid()", "payout_id = NULL"),
    "nothing_unused_given_back": ("used_fen = -1",),
    "use_is_positive": ("amount_fen = 0",),
    "own_transfer_is_positive": ("amount_fen = 0",),
    "own_transfer_moves": ("to_account_id = from_account_id",),
    "payout_finished_has_time": ("finished_at = now()", "state = 'settled'", "state = 'returned'"),
    "payout_is_positive": ("amount_fen = 0",),
    "transfer_moves": ("amount_fen = 0", "payee_id = payer_id", "revision = -1"),
    "transfer_state": (
        "finished_at = now()",
        "state = 'received'",
        "state = 'expired'",
        "to_account_id = gen_random_uuid()",
        "state = 'received', finished_at = now()",
        "state = 'returned', finished_at = now(), to_account_id = gen_random_uuid()",
        "reversed_at = now()",
        "state = 'reversed', finished_at = now(), to_account_id = gen_random_uuid()",
    ),
    "alert_amount": ("amount_fen = 0",),
    "alert_direction": ("direction = 'x'",),
    "alert_sent_has_a_time": ("outcome = 'sent'", "sent_at = now()"),
    "alert_quiet_has_both_ends": (
        "quiet_from = '22:00'",
        "quiet_to = '07:00'",
        "quiet_from = '7:00', quiet_to = '7:00'",
    ),
    "alert_threshold": ("threshold_fen = -1",),
    "assessment_class_1_to_5": ("person_class = 0", "person_class = 6"),
    "holding_not_negative": ("shares = -1", "cost_fen = -1"),
    "nav_checker_is_not_maker": ("checker_id = maker_id",),
    "nav_positive": ("value = 0",),
    "nav_published_by_a_checker": (
        "status = 'published'",
        "status = 'published', published_at = now()",
        "status = 'published', checker_id = gen_random_uuid()",
        "checker_id = gen_random_uuid()",
        "published_at = now()",
    ),
    "order_accepted_with_hold": ("hold_id = NULL",),
    "order_amount_covers_fee": ("amount_fen = 0, fee_fen = -1", "fee_fen = -1", "fee_fen = amount_fen"),
    "order_confirmed_with_shares": (
        "state = 'confirmed'",
        "state = 'confirmed', nav_id = gen_random_uuid()",
        "state = 'confirmed', nav_id = gen_random_uuid(), shares = 0",
        "nav_id = gen_random_uuid()",
        "shares = 1",
    ),
    "product_cut_off_by_close": ("cut_off = '15:00:01'",),
    "product_min_and_step_positive": ("min_fen = 0", "step_fen = 0"),
    "product_nav_scale_known": ("nav_scale = 100",),
    "product_quota_not_exceeded": ("quota_used_fen = quota_fen + 1", "quota_used_fen = -1"),
    "product_risks_1_to_5": ("issuer_risk = 0", "issuer_risk = 6", "seller_risk = 0", "seller_risk = 6"),
    "product_sale_days_in_order": ("sale_until = sale_from - 1",),
    "draft_approved_by_a_checker": (
        "state = 'approved'",
        "checker_id = gen_random_uuid()",
        "state = 'approved', checker_id = gen_random_uuid(), closed_at = now()",
    ),
    "draft_checker_is_not_maker": ("checker_id = maker_id",),
    "draft_facts_where_needed": ("facts = '{}'", "purpose = 'new'", "purpose = 'change'"),
}
"""A CHECK that Django makes for a column that counts, `<table>_<column>_check`, needs no words here: -1 is tried."""

UNIQUE: dict[str, dict[str, str]] = {
    # What the row that is put there twice must say for this key to stand in the way. Primary keys need no words here.
    "bank_session_banksession_token_hash_key": {},
    "bank_session_confirmation_intent_id_key": {},
    "bank_session_handoff_code_hash_key": {},
    "bank_session_passkey_credential_id_key": {},
    "bank_session_passkey_intent_id_key": {},
    "bank_session_receipt_confirmation_id_key": {},
    "device_verified_once": {},
    "kernel_auditlink_row_id_key": {},
    "kernel_outboxrow_key_key": {"key": "'x'"},
    "one_answer_per_key": {},
    "ledger_account_code_key": {"code": "'x'"},
    "ledger_account_key_key": {},
    "ledger_account_number_index_key": {"number_index": "'\\x00'"},
    "ledger_turnover_once": {},
    "ledger_entry_key_key": {},
    "ledger_reversed_once": {"reverses_id": "gen_random_uuid()"},
    "ledger_hold_closed_key_key": {"closed_key": "'x'"},
    "ledger_hold_key_key": {},
    "ledger_one_capture": {"entry_id": "gen_random_uuid()"},
    "ledger_posting_leg": {},
    "ledger_reversal_asked_once": {},
    "ledger_trial_group": {},
    "payments_accountbinding_account_id_key": {},
    "one_open_break": {},
    "one_open_break_of_transfer": {"payout_id": "NULL", "transfer_id": "gen_random_uuid()"},
    "one_counter_per_period": {},
    "payments_owntransfer_entry_id_key": {},
    "payments_payout_end_to_end_id_key": {},
    "payments_payout_hold_id_key": {},
    "payments_transfer_hold_id_key": {},
    "services_alert_event_key_key": {},
    "one_current_document_per_kind": {"is_current": "true"},
    "wealth_documentfile_sha256_key": {},
    "one_opening_per_document": {},
    "one_holding_per_product": {},
    "one_nav_per_day": {},
    "one_offer_per_client_id": {},
    "wealth_product_code_key": {},
    "one_open_draft_per_code": {},
    "one_acknowledgement_per_terms": {},
    "one_terms_per_number": {},
}

NEVER = ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}")
GONE = NEVER[1:]
ENDED = "state = 'released', closed_at = now(), closed_key = 'x'"
DECIDED = {"state": "'withdrawn'", "closed_at": "now()"}

TRIGGERS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    # How it refuses (SQLSTATE), the row that is there, and what somebody with every right tries with it.
    "bank_session_confirmation_append_only": ("RL000", {}, NEVER),
    "bank_session_receipt_append_only": ("RL000", {}, NEVER),
    "ledger_account_internal": (
        "23514",
        {"balance_fen": "0", "held_fen": "0", "posted_count": "0"},
        tuple(
            f"UPDATE ledger_account SET code = 'x', {change}"
            for change in ("balance_fen = 1", "posted_count = 1", "ceiling_fen = 1")
        ),
    ),
    "ledger_account_kept": ("RL000", {}, GONE),
    "ledger_entry_append_only": ("RL000", {}, NEVER),
    "ledger_posting_append_only": ("RL000", {}, NEVER),
    "ledger_hold_kept": ("RL000", {}, GONE),
    "ledger_hold_transition": (
        "RL000",
        {},
        tuple(
            f"UPDATE ledger_hold SET {ENDED}, {change}"
            for change in (
                "amount_fen = 2",
                "account_id = gen_random_uuid()",
                "key = 'other'",
                "input_hash = '\\x01'",
                "kind = 'other'",
                "memo = 'other'",
                "id = gen_random_uuid()",
                "placed_at = placed_at + interval '1 day'",
            )
        ),
    ),
    "ledger_reversal_guard": (
        "RL000",
        {},
        tuple(
            f"UPDATE ledger_reversalrequest SET {change}"
            for change in (
                "reason = 'other'",
                "entry_id = gen_random_uuid()",
                "maker_id = gen_random_uuid()",
                "entered_at = entered_at + interval '1 day'",
                "id = gen_random_uuid()",
            )
        ),
    ),
    "ledger_reversal_kept": ("RL000", {}, GONE),
    "wealth_nav_guard": (
        "23001",
        {"status": "'published'", "checker_id": "gen_random_uuid()", "published_at": "now()"},
        ("UPDATE wealth_nav SET value = 2", "UPDATE wealth_nav SET status = 'draft'", "DELETE FROM wealth_nav"),
    ),
    "wealth_draft_guard": (
        "23001",
        DECIDED,
        ("UPDATE wealth_productdraft SET note = 'other'", "DELETE FROM wealth_productdraft"),
    ),
}
"""Those of the other triggers need a whole entry: they are in tests/finance/ledger/test_guards.py, named in MUTANTS."""

ALL = "UPDATE DELETE"
MAY: dict[str, str] = {
    # What the server may do to a table beside reading and adding; TRUNCATE nowhere. Whatever is not here is tried.
    "bank_session_banksession": "UPDATE",
    "bank_session_confirmation": "",
    "bank_session_handoff": ALL,
    "bank_session_identityproof": "UPDATE",
    "bank_session_intent": "UPDATE",
    "bank_session_passkey": "UPDATE",
    "bank_session_pinverifier": "UPDATE",
    "bank_session_proving": "UPDATE",
    "bank_session_receipt": "",
    "bank_session_receiptsweep": ALL,
    "bank_session_signingkey": "",
    "bank_session_verifieddevice": "UPDATE",
    "kernel_auditlink": "",
    "kernel_auditrow": "",
    "kernel_outboxrow": ALL,
    "kernel_storedanswer": ALL,
    "ledger_account": "UPDATE(name, status, ceiling_fen, balance_fen, held_fen, posted_count)",
    "ledger_dayclose": "UPDATE(balances, late)",
    "ledger_dayturnover": "",
    "ledger_entry": "",
    "ledger_hold": "UPDATE(state, closed_at, closed_key, closed_memo, entry_id)",
    "ledger_posting": "",
    "ledger_proofcursor": ALL,
    "ledger_reversalrequest": "UPDATE(state, checker_reason, closed_at, checker_id, reversal_id)",
    "ledger_rollup": ALL,
    "ledger_trialline": "",
    "ledger_verification": ALL,
    "payments_accountbinding": ALL,
    "payments_clearingbreak": ALL,
    "payments_limitcounter": ALL,
    "payments_limituse": ALL,
    "payments_owntransfer": ALL,
    "payments_payout": ALL,
    "payments_transfer": ALL,
    "services_alert": ALL,
    "services_alertsetting": ALL,
    "wealth_assessment": "",
    "wealth_calendaryear": ALL,
    "wealth_closedday": ALL,
    "wealth_document": "UPDATE(is_current)",
    "wealth_documentfile": "",
    "wealth_documentopened": "",
    "wealth_draftstep": "",
    "wealth_holding": ALL,
    "wealth_nav": "UPDATE(value, status, entered_at, published_at, checker_id, maker_id)",
    "wealth_offer": "UPDATE(state, revision)",
    "wealth_order": "UPDATE(state, finished_at, shares, matures_on, nav_id)",
    "wealth_product": ALL,
    "wealth_productdraft": (
        "UPDATE(facts, documents, note, state, revision, closed_at, checker_id, maker_id, product_id, terms_id)"
    ),
    "wealth_riskacknowledgement": "",
    "wealth_terms": "",
}

EXEMPT: dict[str, str] = {}
"""Name of a guard → why nothing is tried against it."""
