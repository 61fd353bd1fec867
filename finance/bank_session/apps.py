from django.apps import AppConfig


class BankSessionConfig(AppConfig):
    name = "finance.bank_session"
