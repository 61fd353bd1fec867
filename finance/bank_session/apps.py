from django.apps import AppConfig


class BankSessionConfig(AppConfig):
    name = "finance.bank_session"
    label = "bank_session"

    def ready(self) -> None:
        from finance.bank_session import pins

        pins.register_kinds()
