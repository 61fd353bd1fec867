from django.apps import AppConfig


class BankSessionConfig(AppConfig):
    name = "finance.bank_session"
    label = "bank_session"

    def ready(self) -> None:
        from accounts import ports
        from finance.bank_session import actions, devices, passkeys, pins

        pins.register_kinds()
        passkeys.register_kinds()
        ports.verified_devices.fill(devices.verified_among)
        ports.session_ended.add(actions.close_signed_out)
