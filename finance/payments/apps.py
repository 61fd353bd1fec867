from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "finance.payments"

    def ready(self) -> None:
        from accounts import ports
        from finance.payments import cards, intents
        from finance.payments.actions import cards_kept

        cards.register()
        intents.register()
        ports.card_unbinding.add(cards_kept.keep)
