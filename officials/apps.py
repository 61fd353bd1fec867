from django.apps import AppConfig


class OfficialsConfig(AppConfig):
    name = "officials"

    def ready(self) -> None:
        from officials import cards

        cards.register()
