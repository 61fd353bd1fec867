"""The Celery application: broker and schedule come from Django's settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from kernel.memory import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rongliao.settings")

app = Celery("rongliao")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()


@worker_init.connect
def _ready(**_: Any) -> None:
    try:
        # By its name: this module is imported while the applications are still being loaded.
        import_string("rongliao.guard.refuse_unsigned_receipts")()
    except ImproperlyConfigured as trouble:
        # Anything else that a signal's receiver raises is logged, and the worker goes on.
        raise SystemExit(str(trouble)) from trouble
    settle()
