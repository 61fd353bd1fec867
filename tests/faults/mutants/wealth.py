"""Guards of what is sold: suitability, orders, NAVs and products."""

from tests.faults.mutants.mutant import Mutant

WEALTH = "tests/finance/wealth/"
SUITABILITY, BUYING, CUT_OFF, CONFIRMING, PRODUCTS, PAGES, LOCKS = (
    WEALTH + f"test_{of}.py::test_"
    for of in ("suitability", "buying", "cut_off", "confirming", "products", "pages", "locks")
)

MUTANTS: tuple[Mutant, ...] = (
    # Who may buy what.
    Mutant(
        "a class does not matter to a purchase",
        SUITABILITY + "a_lower_class_between_statement_and_confirmation_stops_the_purchase",
        module=("finance.wealth.queries.checks", 'Check("suitability", _suits(wish))', 'Check("suitability", None)'),
    ),
    Mutant(
        "a class does not matter to an offer",
        SUITABILITY + "sending_recommending_showing_and_buying_say_the_same",
        module=("finance.wealth.actions.offers", "if not judged.ok:", "if False:"),
    ),
    Mutant(
        "any risk suits anybody",
        SUITABILITY + "sending_recommending_showing_and_buying_say_the_same",
        module=("finance.wealth.rules", "if product_risk <= person_class:", "if product_risk:"),
    ),
    Mutant(
        "an assessment is valid for ever",
        SUITABILITY + "an_assessment_is_valid_to_its_last_day_and_not_a_day_longer",
        module=("finance.wealth.rules", "if today > valid_until:", "if False:"),
    ),
    Mutant(
        "documents need not be opened",
        BUYING + "documents_come_first_and_the_disclosure_must_be_this_text",
        module=(
            "finance.wealth.queries.checks",
            'Check("documents", _documents(documents))',
            'Check("documents", None)',
        ),
    ),
    Mutant(
        "any disclosure will do",
        BUYING + "documents_come_first_and_the_disclosure_must_be_this_text",
        module=("finance.wealth.queries.checks", 'Check("risk", _risk(documents, wish))', 'Check("risk", None)'),
    ),
    Mutant(
        "assessments are not counted",
        SUITABILITY + "two_assessments_a_day_and_eight_a_year_are_the_most",
        module=("finance.wealth.actions.assess", "count() >= MOST_A_DAY", "count() >= 99"),
    ),
    Mutant(
        "a class III account pays",
        BUYING + "an_account_of_somebody_else_or_of_class_three_cannot_pay",
        module=("finance.wealth.queries.checks", 'if may and account.status == "open"', 'if account.status == "open"'),
    ),
    Mutant(
        "a frozen account pays",
        BUYING + "a_frozen_account_cannot_pay",
        module=("finance.wealth.queries.checks", 'if may and account.status == "open"', "if may"),
    ),
    # Orders.
    Mutant(
        "an order's id is taken again",
        BUYING + "an_order_s_id_is_taken_once",
        module=("finance.wealth.actions.purchase", "if Order.objects.filter(pk=order_id).exists():", "if False:"),
    ),
    Mutant(
        "less is held than is bought for",
        BUYING + "a_confirmed_purchase_holds_the_money_and_waits_for_its_trading_day",
        module=(
            "finance.wealth.actions.purchase",
            ('amount_fen=amount_fen,\n        kind="wealth-subscription"'),
            ('amount_fen=1,\n        kind="wealth-subscription"'),
        ),
    ),
    Mutant(
        "the quota is not taken",
        LOCKS + "a_quota_that_is_being_used_up_is_not_used_twice",
        module=(
            "finance.wealth.actions.purchase",
            'open_now.filter(quota_used_fen__lte=F("quota_fen") - amount_fen)',
            "open_now",
        ),
        off="ALTER TABLE wealth_product DROP CONSTRAINT product_quota_not_exceeded",
    ),
    Mutant(
        "terms may change under a purchase",
        LOCKS + "terms_that_are_being_changed_are_not_bought_under_the_old_ones",
        module=("finance.wealth.actions.purchase", "if terms_of(product_id) != terms:", "if False:"),
    ),
    Mutant(
        "what goes off sale is sold",
        LOCKS + "what_is_being_taken_off_sale_is_not_sold",
        module=("finance.wealth.actions.purchase", ", status=Product.Status.ON_SALE)", ")"),
    ),
    Mutant(
        "other terms are bought than were shown",
        BUYING + "changed_terms_make_the_statement_stale_and_the_sheet_gets_a_fresh_one",
        module=("finance.bank_session.actions.confirming", "deed.draft.words() != locked.draft", "False"),
        off_modules=(
            (
                "finance.wealth.actions.purchase",
                "_draft(purchase, class_of(intent.person_id).person_class).words() != intent.draft",
                "False",
            ),
        ),
    ),
    Mutant(
        "an order is cancelled after its cut-off",
        CUT_OFF + "an_order_is_cancelled_until_its_cut_off_and_not_at_it",
        module=("finance.wealth.rules", " and moment < order.cut_off_at", ""),
    ),
    Mutant(
        "the cut-off does not end a day",
        CUT_OFF + "an_order_gets_the_day_of_its_moment",
        module=("finance.wealth.calendar", " and local.time() < cut_off", ""),
    ),
    Mutant(
        "a statement outlives its cut-off",
        CUT_OFF + "a_statement_of_before_the_cut_off_is_refused_after_it_with_a_fresh_one",
        module=(
            "finance.bank_session.actions.confirming",
            "intent.valid_until is not None and intent.valid_until <= business_now()",
            "False",
        ),
        off_modules=(
            ("finance.bank_session.actions.confirming", "deed.draft.words() != locked.draft", "False"),
            (
                "finance.wealth.actions.purchase",
                "_draft(purchase, class_of(intent.person_id).person_class).words() != intent.draft",
                "False",
            ),
        ),
    ),
    Mutant(
        "a cancelled order is confirmed",
        CONFIRMING + "a_cancelled_order_is_never_confirmed_and_a_confirmed_one_never_cancelled",
        module=("finance.wealth.actions.settle", "order.state != Order.State.ACCEPTED or ", ""),
    ),
    Mutant(
        "a confirmed order is cancelled",
        CONFIRMING + "a_cancelled_order_is_never_confirmed_and_a_confirmed_one_never_cancelled",
        module=(
            "finance.wealth.actions.purchase",
            ("    if order.state != Order.State.ACCEPTED:\n        raise OrderFinished\n"),
            "",
        ),
    ),
    Mutant(
        "an order goes from any state to any",
        CONFIRMING + "an_order_moves_as_its_table_says",
        module=("finance.wealth.actions.orders", "if state not in Order.MOVES[Order.State(order.state)]:", "if False:"),
    ),
    Mutant(
        "an order is confirmed before its day",
        CONFIRMING + "the_order_is_confirmed_on_the_next_day_at_the_published_nav",
        module=("finance.wealth.actions.settle", " or now < at(order.confirm_day, CONFIRM_FROM)", ""),
    ),
    Mutant(
        "an order is confirmed at a draft",
        CONFIRMING + "an_order_is_not_confirmed_at_a_nav_that_one_person_entered",
        module=("finance.wealth.actions.settle", ", status=Nav.Status.PUBLISHED)", ")"),
    ),
    Mutant(
        "somebody else's order is seen",
        PAGES + "somebody_elses_order_does_not_exist",
        module=("finance.wealth.access", "filter(pk=order_id, person_id=person_id)", "filter(pk=order_id)"),
    ),
    # Two people.
    Mutant(
        "one person publishes a NAV",
        CONFIRMING + "whoever_enters_a_nav_cannot_approve_it",
        module=("finance.wealth.actions.navs", "if nav.maker_id == checker_id:", "if False:"),
        off="ALTER TABLE wealth_nav DROP CONSTRAINT nav_checker_is_not_maker",
    ),
    Mutant(
        "a NAV is approved unseen",
        CONFIRMING + "an_approval_names_the_value_that_was_seen",
        module=("finance.wealth.actions.navs", "if nav.value != value:", "if False:"),
    ),
    Mutant(
        "a published NAV is entered again",
        CONFIRMING + "a_published_nav_can_be_changed_by_nobody",
        module=(
            "finance.wealth.actions.navs",
            ("    elif nav.status == Nav.Status.PUBLISHED:\n        raise NavPublished\n"),
            "",
        ),
    ),
    Mutant(
        "anybody approves a NAV",
        PAGES + "navs_are_for_operations",
        module=("finance.wealth.access", "if not people.roles_of(person_id) & NAV_CHECKERS:", "if False:"),
    ),
    Mutant(
        "anybody enters a NAV",
        PAGES + "makers_do_not_approve_and_checkers_do_not_enter",
        module=("finance.wealth.access", "if not people.roles_of(person_id) & NAV_MAKERS:", "if False:"),
    ),
    Mutant(
        "whoever wrote a draft approves it",
        PRODUCTS + "whoever_wrote_in_a_draft_does_not_approve_it",
        module=(
            "finance.wealth.actions.drafts",
            "if draft.steps.filter(person_id=checker_id, what__in=_WROTE).exists():",
            "if False:",
        ),
        off="ALTER TABLE wealth_productdraft DROP CONSTRAINT draft_checker_is_not_maker",
    ),
    Mutant(
        "a draft is approved unseen",
        PRODUCTS + "a_draft_that_is_sent_back_says_why_and_waits_again_once_it_is_changed",
        module=(
            "finance.wealth.actions.drafts",
            (
                "    if draft.state == State.RETURNED:\n"
                "        raise DraftReturned\n"
                "    if draft.revision != revision:\n"
                "        raise DraftChanged\n"
                "    draft.product"
            ),
            ("    if draft.state == State.RETURNED:\n        raise DraftReturned\n    draft.product"),
        ),
    ),
    Mutant(
        "a returned draft is approved",
        PRODUCTS + "a_draft_that_is_sent_back_says_why_and_waits_again_once_it_is_changed",
        module=(
            "finance.wealth.actions.drafts",
            ("    if draft.state == State.RETURNED:\n        raise DraftReturned\n    if draft.revision"),
            "    if draft.revision",
        ),
    ),
    Mutant(
        "anybody approves a draft",
        PRODUCTS + "without_the_role_the_doors_are_closed",
        module=("finance.wealth.access", "if not people.roles_of(person_id) & PRODUCT_CHECKERS:", "if False:"),
    ),
    Mutant(
        "anybody enters a draft",
        PRODUCTS + "without_the_role_the_doors_are_closed",
        module=("finance.wealth.access", "if not people.roles_of(person_id) & PRODUCT_MAKERS:", "if False:"),
    ),
)
