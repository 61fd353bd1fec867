from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "desk"

    def ready(self) -> None:
        from accounts import ports
        from desk import actions, cards, screens

        cards.register()
        screens.register()
        ports.roles_lost.add(actions.give_back_cases)
