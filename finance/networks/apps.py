from django.apps import AppConfig


class NetworksConfig(AppConfig):
    name = "finance.networks"

    def ready(self) -> None:
        from django.conf import settings

        from accounts import ports as accounts_ports
        from finance.networks import adapters, ports

        accounts_ports.verification.fill(adapters.LinkVerifier())
        ports.clearing.fill(adapters.LinkClearing())
        if settings.SMS_URL:
            accounts_ports.sms.fill(adapters.LinkMessages())
