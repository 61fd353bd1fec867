from django.apps import AppConfig


class WealthConfig(AppConfig):
    name = "finance.wealth"

    def ready(self) -> None:
        from finance.bank_session import registry
        from finance.wealth import actions, cards

        cards.register()
        registry.register(actions.KIND, execute=actions.confirm_purchase, restate=actions.restate_purchase)
