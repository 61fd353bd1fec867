from django.apps import AppConfig


class RongliaoConfig(AppConfig):
    name = "rongliao"
    label = "rongliao"

    def ready(self) -> None:
        from rongliao.celery import app  # the tasks' application must exist before the first kick

        app.set_default()
