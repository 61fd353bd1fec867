from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "finance.services"
