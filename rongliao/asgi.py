"""The ASGI entry: HTTP to Django, sockets to chat."""

import os

import django
from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rongliao.settings")
django.setup()

from chat.routing import socket_application  # noqa: E402  (needs the apps ready)
from rongliao.guard import refuse_demo_log_ins  # noqa: E402

refuse_demo_log_ins()

application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": socket_application()})
