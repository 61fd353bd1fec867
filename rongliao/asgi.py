"""The ASGI entry: HTTP to Django, sockets to chat."""

import gc
import os

import django
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rongliao.settings")
# Nothing of what is loaded from here on is garbage: looking for it meanwhile is a quarter of the time of a start.
gc.disable()
django.setup()

from chat.routing import socket_application  # noqa: E402  (needs the apps ready)
from kernel.memory import settle  # noqa: E402  (nothing of ours is loaded before the collector is off)
from rongliao.guard import refuse_demo_log_ins, refuse_unsigned_receipts  # noqa: E402  (reads settings and models)
from rongliao.handler import OneThreadHandler  # noqa: E402  (reads settings)

refuse_unsigned_receipts()
refuse_demo_log_ins()

# Django reads the routes with all their views at the first request, and the first socket the layer with its client of
# Redis: the best part of a second, while everybody who comes back after a restart waits. The port is opened after this.
get_channel_layer()
for routes in (settings.ROOT_URLCONF, settings.BANK_URLCONF):
    get_resolver(routes).reverse_dict.keys()

application = ProtocolTypeRouter({"http": OneThreadHandler(), "websocket": socket_application()})
settle()
