"""How the server treats those who come together: one after the other, with room for everybody else between them."""

import asyncio
import subprocess

import pytest

from deploy.checks import DEMO
from deploy.local.install import PYTHON, ROOT
from rongliao import http


async def heard(count: int, *, sockets: bool) -> float:
    """So many who come at once: the seconds until all were heard. Between two of them the loop turns for others."""
    loop = asyncio.get_running_loop()
    turnstile = http._Turnstile(loop)
    done = asyncio.Event()
    left, turns = count, 0

    def hear() -> bool:
        nonlocal left
        left -= 1
        if not left:
            done.set()
        return sockets

    async def others() -> None:
        nonlocal turns
        while not done.is_set():
            await asyncio.sleep(0)
            turns += 1

    talking = asyncio.create_task(others())
    began = loop.time()
    for _ in range(count):
        turnstile.enter(hear)
    await done.wait()
    took = loop.time() - began
    await talking
    assert turns >= count
    return took


async def test_who_opens_sockets_at_once_is_heard_with_pauses_and_requests_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "PACE_S", 0.02)
    assert await heard(20, sockets=True) >= 19 * 0.02
    monkeypatch.setattr(http, "PACE_S", 60.0)
    assert await heard(20, sockets=False) < 30


GROWS = """
import gc, sys, django
if sys.argv[1] == "server":
    import rongliao.asgi
    assert gc.get_freeze_count() > 100_000 and gc.isenabled()
else:
    django.setup()
whole = []
gc.callbacks.append(lambda phase, info: whole.append(1) if phase == "start" and info["generation"] == 2 else None)
kept = [[{}, []] for _ in range(500_000)]
print(len(whole))
"""


def test_a_server_does_not_look_through_all_it_has_while_thousands_come() -> None:
    found = {}
    for what in ("server", "anything else"):
        done = subprocess.run(
            [str(PYTHON), "-c", GROWS, what], cwd=ROOT, env=DEMO, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found[what] = int(done.stdout)
    assert found["server"] == 0
    assert found["anything else"] > 0, "without it Python would"
