from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "finance.services"

    def ready(self) -> None:
        from finance.services import cards

        cards.register()
