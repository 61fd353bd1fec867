from django.apps import AppConfig


class WealthConfig(AppConfig):
    name = "finance.wealth"
