from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "finance.payments"

    def ready(self) -> None:
        from finance.payments import cards, intents

        cards.register()
        intents.register()
