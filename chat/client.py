"""A client for the command line, and the whole protocol in one file for people who write bots.

    python -m chat.client sign-in --url https://chat.bank.example --phone 13800000001
    python -m chat.client conversations
    python -m chat.client messages CONVERSATION --limit 20
    python -m chat.client send CONVERSATION "明天上午可以"
    python -m chat.client follow

The password is asked for, or read from RONGLIAO_PASSWORD. What the client knows stands in one file (`--state`) that
its owner alone may read: the session, the version of every conversation, and texts that have no acknowledgement yet.
Answers are JSON, one object a line. `send` waits until the text is committed, also through a cut; interrupted, it
leaves the text in the file, and the next `send` or `follow` sends it.

What a client owes the server, and the server a client:

- A text gets its `client_id` before it is sent, and keeps it until it is acknowledged. Sent again, it is the same
  message; so a client that does not know sends again.
- A conversation is a log of versions. A pushed message whose `version` is the next one is applied; any other says that
  something was missed, and `POST /api/chat/sync` with the versions one has answers what. Nobody waits for a push.
- `sync` answers in parts while it says `more`; `next` is asked for as `after`. Where more has changed than the server
  tells one by one (`reset`) the new messages are read in pages.
- People change their names without a new version of anything. A `hint` of the topic `people` names who looks otherwise;
  it may be lost, so `sync` with `people: true` tells now and then how all look who are in one's conversations.
- 429 and 408 ask for patience, for as long as `Retry-After` says.
- Unknown frames and fields are ignored. `probe` is answered with `probed`; who does not answer is taken for one that
  does not read, and is disconnected.
"""

import argparse
import asyncio
import contextlib
import getpass
import json
import os
import random
import sys
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.4, 15.0
ANSWER_LIMIT_S = 20.0
PAGE = 100
MAX_FRAME_BYTES = 64 * 1024
"""A socket that is sent more is closed, and coming back with the same would close it again."""
COOKIES = ("rl_session", "__Host-rl_session")
"""The second under https."""
SESSION_OVER = frozenset({4001, 4401})
"""The socket's close codes after which the same session will not be let in again."""
PATIENCE = frozenset({408, 429})
MAX_PUSHED = 1_000
"""Pushed messages that wait for who follows; beyond that they are let go and asked for."""


class Refused(Exception):
    """The server refused: `code` is for programs, `message` for people. `wait_s`: it would take the same after so many
    seconds (0: it did not say how many); None: it refused for good."""

    def __init__(self, code: str, message: str, wait_s: float | None = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code, self.message, self.wait_s = code, message, wait_s


@dataclass
class State:
    """What survives the process. `have`: the version of each conversation up to which everything was handed out."""

    url: str = ""
    device_id: str = field(default_factory=lambda: str(uuid4()))
    cookies: dict[str, str] = field(default_factory=dict)
    have: dict[str, int] = field(default_factory=dict)
    outbox: list[dict[str, str]] = field(default_factory=list)
    path: Path | None = None

    @classmethod
    def load(cls, path: Path) -> "State":
        """The state in that file, or a new one that will be kept there."""
        if not path.exists():
            return cls(path=path)
        return cls(**json.loads(path.read_text("utf-8")), path=path)

    def save(self) -> None:
        """Puts it on the disk, whole or not at all."""
        if self.path is None:
            return
        content = {name: value for name, value in asdict(self).items() if name != "path"}
        new = self.path.with_name(self.path.name + ".new")
        with open(new, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


class Client:
    """One signed-in person. Use it as a context: inside, it is connected, and comes back by itself when it is cut.

    async with Client(State.load(path)) as client:
        async for message in client.follow():
            if message["text"] == "ping":
                await client.send(message["conversation_id"], "pong")
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._http = httpx.AsyncClient(
            base_url=state.url, headers={"Origin": state.url}, cookies=state.cookies, timeout=ANSWER_LIMIT_S
        )
        self._pushed: deque[dict[str, Any]] = deque()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._following = self._behind = False
        self._told = asyncio.Event()
        self._over: Exception | None = None
        self._pause = FIRST_PAUSE_S
        self._socket: ClientConnection | None = None
        self._running: asyncio.Task[None] | None = None
        self._in_order = asyncio.Lock()

    async def __aenter__(self) -> "Client":
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        await self._http.aclose()

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request. Raises Refused with the server's reason, httpx.TransportError where there is no answer, or one
        that is not the server's (a proxy's page)."""
        answer = await self._http.request(method, path, json=body)
        if answer.status_code >= 500:
            raise httpx.ReadError(f"{method} {path}: {answer.status_code}")
        if answer.status_code >= 400:
            raise _refusal(answer)
        try:
            content: dict[str, Any] = answer.json() if answer.content else {}
        except ValueError:
            raise httpx.RemoteProtocolError(f"{method} {path}: the answer is no JSON") from None
        return content

    async def sign_in(self, phone: str, password: str, device_name: str = "命令行") -> dict[str, Any]:
        """Opens a session and keeps it. Raises Refused."""
        me = await self.call(
            "POST",
            "/api/session",
            {
                "phone": phone,
                "password": password,
                "device_id": self.state.device_id,
                "device_name": device_name,
            },
        )
        self.state.cookies = {name: self._http.cookies[name] for name in COOKIES if name in self._http.cookies}
        self.state.save()
        return me

    async def sign_out(self) -> None:
        """Ends the session; versions and unsent texts go with it."""
        await self.call("DELETE", "/api/session")
        self.state.cookies, self.state.have, self.state.outbox = {}, {}, []
        self.state.save()

    async def conversations(self) -> AsyncIterator[dict[str, Any]]:
        """All conversations, newest first, page by page."""
        cursor: str | None = None
        while True:
            page = await self.call("GET", "/api/chat/conversations" + (f"?before={cursor}" if cursor else ""))
            people = {person["id"]: person["name"] for person in page["people"]}
            for item in page["items"]:
                yield {**item, "title": item["title"] or "、".join(people.get(one, "?") for one in item["peer_ids"])}
            cursor = page["next"]
            if cursor is None:
                return

    async def messages(self, conversation_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The newest messages, oldest first."""
        page = await self.call("GET", f"/api/chat/conversations/{conversation_id}/messages?limit={limit}")
        return list(reversed(page["items"]))

    async def send(self, conversation_id: str, text: str) -> dict[str, Any]:
        """Sends a text and waits until it is committed; answers its `id` and `seq`.

        It is on the disk before it is sent: after a crash the next client with this state sends it, once.
        Raises Refused; the text is then forgotten. Raises what ended the client, if something did.
        """
        if self._over is not None:
            raise self._over
        entry = {"client_id": str(uuid4()), "conversation_id": conversation_id, "text": text}
        if len(_send_frame(entry)) > MAX_FRAME_BYTES:
            raise Refused("message_too_long", "消息太长,未发送")
        self.state.outbox.append(entry)
        self.state.save()
        told: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[entry["client_id"]] = told
        await self._transmit([entry])
        return await told

    async def flush(self) -> list[tuple[str, Refused]]:
        """Waits until nothing of an earlier run is unsent; answers the texts of it that were refused, and why.

        Raises Refused when the session is over, or what else ended the client.
        """
        if self._over is not None:
            raise self._over
        refused = []
        unsent = [
            (entry, self._waiting.setdefault(entry["client_id"], asyncio.get_running_loop().create_future()))
            for entry in self.state.outbox
        ]
        for entry, told in unsent:
            try:
                await told
            except Refused as why:
                if entry in self.state.outbox:
                    raise
                refused.append((entry["text"], why))
        return refused

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Every message and every new version of one, from where the state stands, for ever.

        A message counts as handed out when the next one is asked for: after a crash in between it comes again.
        Raises Refused when the session is over, or what else ended the client. One at a time.
        """
        have, pause = self.state.have, FIRST_PAUSE_S
        self._following, self._behind = True, self._socket is not None
        try:
            while True:
                if self._behind:
                    self._behind = False
                    try:
                        async for message, conversation_id, version in self._missed():
                            if message is not None:
                                yield message
                            have[conversation_id] = version
                        pause = FIRST_PAUSE_S
                    except (httpx.TransportError, Refused) as error:
                        self._behind = True
                        pause = await _waited(pause, error)
                elif self._pushed:
                    message = self._pushed.popleft()
                    conversation_id, version = message["conversation_id"], message["version"]
                    if version == have.get(conversation_id, 0) + 1:
                        yield message
                        have[conversation_id] = version
                        if not self._pushed:
                            self.state.save()
                    elif version > have.get(conversation_id, 0):
                        self._behind = True
                elif self._over is not None:
                    raise self._over
                else:
                    self._told.clear()
                    await self._told.wait()
        finally:
            self._following = False
            self._pushed.clear()

    async def _run(self) -> None:
        while True:
            wait: Exception | None = None
            try:
                await self._connected()
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in SESSION_OVER:
                    self._end(Refused("sign_in_needed", "登录已失效,请重新登录"))
                    return
            except (OSError, WebSocketException, TimeoutError, httpx.TransportError):
                pass
            except Refused as refused:
                if refused.wait_s is None:
                    self._end(refused)
                    return
                wait = refused
            except Exception as error:
                # Nobody else would hear of it: they wait for what this brings.
                self._end(error)
                return
            finally:
                self._socket = None
            self._pause = await _waited(self._pause, wait)

    def _end(self, error: Exception) -> None:
        self._over = error
        self._told.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)

    async def _connected(self) -> None:
        # A refused handshake says nothing; this says whether there is still a session.
        await self.call("GET", "/api/me")
        cookie = "; ".join(f"{name}={value}" for name, value in self.state.cookies.items())
        async with connect(
            self.state.url.replace("http", "ws", 1) + "/ws/",
            origin=Origin(self.state.url),
            additional_headers={"Cookie": cookie},
            open_timeout=ANSWER_LIMIT_S,
        ) as socket:
            async for text in socket:
                for line in str(text).split("\n"):
                    await self._take(socket, json.loads(line))

    async def _take(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ready":
                self._pause = FIRST_PAUSE_S
                self._socket = socket
                self._miss()
                await self._transmit(self.state.outbox)
            case "message" if self._following:
                if len(self._pushed) >= MAX_PUSHED:
                    self._pushed.clear()
                    self._behind = True
                self._pushed.append(frame["message"])
                self._told.set()
            case "conversation" | "behind":
                self._miss()
            case "ack":
                self._settle(frame["client_id"], frame)
            case "error" if frame["client_id"] and not frame["retry"]:
                self._settle(frame["client_id"], Refused(frame["code"], frame["message"]))
            case "error" if frame["client_id"]:
                raise TimeoutError(frame["code"])  # comes back, and sends again
            case "probe":
                await socket.send(json.dumps({"type": "probed", "n": frame["n"]}))

    def _miss(self) -> None:
        """Who follows has to ask. Who only sends does not, and what it has not followed it will be told of later."""
        if self._following:
            self._behind = True
            self._told.set()

    def _settle(self, client_id: str, outcome: dict[str, Any] | Exception) -> None:
        self.state.outbox = [entry for entry in self.state.outbox if entry["client_id"] != client_id]
        self.state.save()
        future = self._waiting.pop(client_id, None)
        if future is None or future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    async def _transmit(self, entries: list[dict[str, str]]) -> None:
        async with self._in_order:
            for entry in list(entries):
                if self._socket is None:
                    return  # they go out, in this order, when the socket is open
                with contextlib.suppress(ConnectionClosed):
                    await self._socket.send(_send_frame(entry))

    async def _since(self, change: dict[str, Any]) -> list[dict[str, Any]]:
        """The messages after what was seen, oldest first, where the server gives the newest page alone.

        What is no newer than what was seen has nothing before it that is new; changes of old messages beyond are left.
        """
        conversation_id, known = change["conversation_id"], self.state.have[change["conversation_id"]]
        if change["upto"] <= known:
            return list(change["messages"])  # the server has another history: a restored database
        found = {message["seq"]: message for message in change["messages"]}
        page, following = change["messages"], min(found, default=0)
        while following > 1 and all(message["version"] > known for message in page):
            path = f"/api/chat/conversations/{conversation_id}/messages?limit={PAGE}&before={following}"
            try:
                page = (await self.call("GET", path))["items"]
            except Refused as refused:
                if refused.code != "not_found":
                    raise
                break  # one was taken out of it meanwhile
            found |= {message["seq"]: message for message in page}
            following = min((message["seq"] for message in page), default=0)
        # What has changed again since comes with its own push, or by the next sync.
        return [found[seq] for seq in sorted(found) if known < found[seq]["version"] <= change["upto"]]

    async def _missed(self) -> AsyncIterator[tuple[dict[str, Any] | None, str, int]]:
        """From what was handed out to the present: messages, each with its conversation and the version that one has
        with it. A conversation that is new here begins with its newest message."""
        have, after, more = self.state.have, None, True
        while more:
            answer = await self.call("POST", "/api/chat/sync", {"have": have, "after": after})
            after, more = answer.get("next"), answer["more"]
            for gone in answer["gone"]:
                have.pop(gone, None)
            for change in answer["changes"]:
                conversation_id, upto = change["conversation_id"], change["upto"]
                if change["reset"]:
                    # In the order of `seq`: until the last is handed out, a crash begins again where this began.
                    for message in await self._since(change):
                        yield message, conversation_id, have[conversation_id]
                else:
                    for message in change["messages"]:
                        yield message, conversation_id, min(message["version"], upto)
                # Also where that is less than before: the server's database was restored.
                yield None, conversation_id, upto
            for item in answer["conversations"]:
                if item["id"] not in have:
                    yield item["last"], item["id"], item["version"]
            self.state.save()


def _refusal(answer: httpx.Response) -> Refused:
    """What a status from 400 says, whoever wrote it."""
    wait_s = None
    if answer.status_code in PATIENCE:
        asked = answer.headers.get("Retry-After", "")
        wait_s = float(asked) if asked.isdecimal() else 0.0
    try:
        error = answer.json()["error"]
        return Refused(error["code"], error["message"], wait_s)
    except (ValueError, LookupError, TypeError):
        return Refused(str(answer.status_code), answer.reason_phrase, wait_s)


async def _waited(pause: float, error: Exception | None) -> float:
    """Waits before another try, at least for as long as a Refused asks; the next pause. Raises a Refused that is for
    good."""
    asked = 0.0
    if isinstance(error, Refused):
        if error.wait_s is None:
            raise error
        asked = error.wait_s
    spread = random.uniform(0.7, 1.3)  # noqa: S311 - spreads those who come back at once
    await asyncio.sleep(max(asked, pause * spread))
    return min(pause * 2, LONGEST_PAUSE_S)


def _send_frame(entry: dict[str, str]) -> str:
    return json.dumps({"type": "send", **entry})


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def _perform(asked: argparse.Namespace, state: State) -> None:
    client = Client(state)
    match asked.command:
        case "sign-in":
            password = os.environ.get("RONGLIAO_PASSWORD") or getpass.getpass("密码: ")
            me = await client.sign_in(asked.phone, password)
            _say({"id": me["id"], "name": me["name"], "roles": me["roles"]})
        case "sign-out":
            await client.sign_out()
        case "conversations":
            async for item in client.conversations():
                _say({name: item[name] for name in ("id", "kind", "title", "unread", "version")})
        case "messages":
            for message in await client.messages(asked.conversation, asked.limit):
                _say(message)
        case "send":
            async with client:
                for text, why in await client.flush():
                    sys.stderr.write(f"not sent: {text}: {why}\n")
                _say(await client.send(asked.conversation, asked.text))
        case "follow":
            async with client:
                async for message in client.follow():
                    if asked.conversation in {None, message["conversation_id"]}:
                        _say(message)


def _conversation(word: str) -> str:
    return str(UUID(word))


def _origin(word: str) -> str:
    parts = urlsplit(word)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m chat.client", description="融聊 on the command line")
    made.add_argument("--state", type=Path, default=Path("rongliao-client.json"), help="the file of what it knows")
    commands = made.add_subparsers(dest="command", required=True)
    sign_in = commands.add_parser("sign-in", help="open a session")
    sign_in.add_argument("--url", required=True, type=_origin, help="the app's origin, e.g. http://localhost:8000")
    sign_in.add_argument("--phone", required=True)
    commands.add_parser("sign-out", help="end the session")
    commands.add_parser("conversations", help="list them")
    messages = commands.add_parser("messages", help="the newest of a conversation")
    messages.add_argument("conversation", type=_conversation)
    messages.add_argument("--limit", type=int, default=50)
    send = commands.add_parser("send", help="send a text; ends when it is committed")
    send.add_argument("conversation", type=_conversation)
    send.add_argument("text")
    follow = commands.add_parser("follow", help="print everything that comes, also what was missed")
    follow.add_argument("conversation", type=_conversation, nargs="?")
    return made


def main() -> int:
    """Exit codes: 0 done, 1 refused or unreachable, 2 wrong words."""
    asked = parser().parse_args()
    try:
        state = State.load(asked.state)
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"{asked.state} is no state of this client ({error}): name another with --state\n")
        return 2
    if asked.command == "sign-in":
        state = State(url=asked.url, device_id=state.device_id, path=asked.state)
    if not state.url:
        sys.stderr.write("nobody is signed in here: python -m chat.client sign-in --url … --phone …\n")
        return 2
    try:
        asyncio.run(_perform(asked, state))
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except httpx.TransportError as error:
        sys.stderr.write(f"{state.url} does not answer: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
