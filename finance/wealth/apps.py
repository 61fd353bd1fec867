from django.apps import AppConfig


class WealthConfig(AppConfig):
    name = "finance.wealth"

    def ready(self) -> None:
        from finance.bank_session import registry
        from finance.ledger import ports
        from finance.wealth import actions, cards
        from finance.wealth.actions import accounts_kept

        cards.register()
        ports.account_closing.add(accounts_kept.keep)
        registry.register(actions.KIND, execute=actions.confirm_purchase, restate=actions.restate_purchase)
