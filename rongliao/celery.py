"""The Celery application: broker and schedule come from Django's settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from kernel.memory import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rongliao.settings")

app = Celery("rongliao")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()


@worker_init.connect
def _ready(**_: Any) -> None:
    settle()
