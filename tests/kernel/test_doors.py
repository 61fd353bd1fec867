import json
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Person
from kernel.models import AuditRow
from tests.support.signing import sign_in

pytestmark = pytest.mark.urls("tests.kernel.doors")
Post = Callable[..., Any]


@pytest.fixture
def post(settings: Any, request: pytest.FixtureRequest) -> Post:
    request.getfixturevalue("fresh_database" if "fresh_database" in request.fixturenames else "db")
    people: dict[str, Person] = {}

    def send(body: Any, *, key: str | None = "new", by: str = "su", origin: str | None = None, **extra: Any) -> Any:
        if by not in people:
            people[by] = Person.objects.create(kind="customer", display_name=by)
        client = Client(headers={"host": settings.APP_NETLOC})
        sign_in(client, people[by])
        headers = {"origin": settings.APP_ORIGIN if origin is None else origin}
        if key is not None:
            headers["idempotency-key"] = str(uuid4()) if key == "new" else key
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return client.post("/api/pay", data, content_type="application/json", headers=headers, **extra)

    return send


def effects() -> int:
    return AuditRow.objects.filter(action="test.pay").count()


def test_the_same_key_and_body_give_the_same_bytes_and_one_effect(post: Post) -> None:
    key = str(uuid4())
    first, again = (post({"amount_fen": 5, "memo": ""}, key=key) for _ in range(2))
    assert (first.status_code, first.content) == (201, again.content)
    assert effects() == 1


def test_the_same_key_with_another_body_does_nothing(post: Post) -> None:
    key = str(uuid4())
    post({"amount_fen": 5, "memo": ""}, key=key)
    other = post({"amount_fen": 6, "memo": ""}, key=key)
    assert (other.status_code, other.json()["error"]["code"], effects()) == (422, "key_reused", 1)


def test_another_persons_key_tells_nothing(post: Post) -> None:
    key = str(uuid4())
    mine, theirs = post({"amount_fen": 5, "memo": ""}, key=key), post({"amount_fen": 5, "memo": ""}, key=key, by="lin")
    assert (theirs.status_code, mine.content != theirs.content, effects()) == (201, True, 2)


def test_a_refusal_undoes_its_effect_and_is_not_kept(post: Post) -> None:
    key = str(uuid4())
    assert post({"amount_fen": 5, "memo": "refuse"}, key=key).status_code == 409
    assert effects() == 0
    assert post({"amount_fen": 5, "memo": ""}, key=key).status_code == 201


@pytest.mark.parametrize("key", [None, "", "1", "not-a-uuid", "０" * 36])
def test_without_a_usable_key_nothing_happens(post: Post, key: str | None) -> None:
    try:
        answer = post({"amount_fen": 5, "memo": ""}, key=key)
    except UnicodeEncodeError:
        return  # such a header cannot even be sent
    assert (answer.status_code, effects()) == (400, 0)


def test_ten_at_once_have_one_effect(post: Post, fresh_database: object) -> None:
    key, start, codes = str(uuid4()), Barrier(10), []
    post({"amount_fen": 1, "memo": "refuse"})

    def send() -> None:
        start.wait()
        codes.append(post({"amount_fen": 5, "memo": ""}, key=key).status_code)
        connection.close()

    threads = [Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (set(codes) <= {201, 409}, codes.count(201) >= 1, effects()) == (True, True, 1)


@pytest.mark.parametrize(
    "amount",
    ["0", "-1", "0.001", "1.0", "1e30", "1e2", "NaN", "Infinity", "-0.0", "true", "null", '"1"', '"１００"', '"1,000"',
     "10001", str(2**63), str(2**63 - 1), str(-(2**63) - 1), "[]", "{}"],
)  # fmt: skip
def test_an_amount_is_a_whole_number_of_fen_within_bounds_or_refused(post: Post, amount: str) -> None:
    answer = post(f'{{"amount_fen": {amount}, "memo": ""}}')
    assert (answer.status_code, answer.json()["error"]["code"], effects()) == (400, "invalid", 0)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"{", b"\xff\xfe", b'{"memo": "\\ud800"}', b'{"memo": "a\\u0000"}', b'{"a":' * 100_000],
    ids=["empty", "list", "number", "cut", "not-utf8", "surrogate", "nul", "deep"],
)
def test_a_body_that_is_no_json_object_is_refused(post: Post, body: bytes) -> None:
    answer = post(body)
    assert (answer.status_code in {400, 413}, effects()) == (True, 0)


@pytest.mark.parametrize("memo", [1, True, None, "x" * 11, "a\u0007", ["a"], {}])
def test_a_text_of_the_wrong_kind_or_length_is_refused(post: Post, memo: Any) -> None:
    answer = post({"amount_fen": 5, "memo": memo})
    assert (answer.status_code, list(answer.json()["error"]["fields"]), effects()) == (400, ["memo"], 0)


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "a\u200bb", "a\nb", "a\x00b"])
def test_a_name_with_hidden_marks_is_refused(post: Post, name: str) -> None:
    assert post({"amount_fen": 5, "memo": "", "who": name}).status_code == 400


@pytest.mark.parametrize(
    "origin",
    ["null", "http://localhost:8001", "https://localhost:8000", "http://localhost", "http://evil.example",
     "http://localhost:8000.evil.example", ""],
)  # fmt: skip
def test_a_write_from_another_origin_is_refused(post: Post, origin: str) -> None:
    answer = post({"amount_fen": 5, "memo": ""}, origin=origin)
    assert (answer.status_code, answer.json()["error"]["code"], effects()) == (403, "wrong_origin", 0)


def test_a_body_over_the_limit_is_not_read(post: Post, settings: Any) -> None:
    answer = post({"amount_fen": 5, "memo": "x" * settings.MAX_BODY_BYTES})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_errors_are_chinese_unless_english_is_asked_for(post: Post) -> None:
    chinese = post({"amount_fen": 0, "memo": ""}).json()["error"]["message"]
    english = post({"amount_fen": 0, "memo": ""}, HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.9").json()["error"]["message"]
    assert ("未做任何更改" in chinese, "Nothing was changed" in english) == (True, True)


def test_a_host_that_is_not_ours_is_not_served(db: None) -> None:
    assert Client(headers={"host": "evil.example"}).get("/api/pay").status_code in {400, 421}


def test_a_fields_own_sentence_is_in_the_callers_language(post: Post) -> None:
    chinese = post({"amount_fen": 0, "memo": ""}).json()["error"]["fields"]["amount_fen"]
    english = post({"amount_fen": 0, "memo": ""}, HTTP_ACCEPT_LANGUAGE="en").json()["error"]["fields"]["amount_fen"]
    assert (chinese, english) == ("金额不能小于 1 分。", "The amount is at least 1 fen.")
