"""Receipts: signed by the bank, checked by a command that knows nothing of it, and by a page for whoever holds one."""

import base64
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings as site
from django.db import DatabaseError, connection, transaction

from deploy.local import state
from deploy.local.install import ROOT
from finance.bank_session import app_api, receipt_pdf, receipts, signing
from finance.bank_session.models import Receipt
from finance.bank_session.verify_receipt import Forged, verify
from kernel import jobs
from tests.conftest import FreshDatabase
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_passkeys import added, signed
from tests.support.bank import Sheet
from tests.support.caller import Caller
from tests.support.scan import qr_codes, text_of

KEY = signing.present().public_key().encode()


def confirmed(bench: Bench) -> str:
    sheet = Sheet(bench.prepare().handoff_url)
    assert sheet.confirm().status_code == 200
    return sheet.intent_id


def fetched(bench: Bench, intent_id: str, kind: str = "file") -> Any:
    return bench.caller().get(f"/api/finance/intents/{intent_id}/receipt/{kind}")


def test_every_executed_statement_has_one_signed_receipt(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    words = sheet.intent().json()["statement"]
    sheet.confirm()
    jobs.drain()

    file = fetched(bench, sheet.intent_id)

    content = verify(file.content, KEY)
    assert content["statement"] == words and content["proof"] == "pin" and content["passkey"] is None
    assert Receipt.objects.count() == 1 and fetched(bench, sheet.intent_id).content == file.content
    (listed,) = bench.caller().get("/api/finance/receipts").json()["items"]
    assert (listed["intent_id"], listed["amount"], listed["proof"]) == (sheet.intent_id, "¥ 10.00", "pin")


def test_a_receipt_names_who_confirmed_and_one_of_before_names_nobody(bench: Bench) -> None:
    intent_id = confirmed(bench)
    assert verify(fetched(bench, intent_id).content, KEY)["holder"] == "*禾"
    assert "*禾" in text_of(fetched(bench, intent_id, "pdf").content)
    mine = bench.caller().get(f"/api/finance/intents/{intent_id}/receipt").json()
    assert mine["holder"] == checked(mine["link"]).json()["holder"] == "*禾"

    content = json.loads(json.loads(fetched(bench, intent_id).content)["receipt"])
    del content["holder"]
    text = json.dumps(content, ensure_ascii=False)
    file = json.dumps({"receipt": text, "signature": resigned(text.encode())}).encode()
    assert "holder" not in verify(file, KEY)
    assert receipts.shown(Receipt(document=text.encode(), signature=b"")).holder is None


def test_a_passkey_s_signature_is_in_the_receipt_and_is_checked_too(bench: Bench) -> None:
    key = added(bench)
    sheet = Sheet(bench.prepare().handoff_url)
    signed(sheet, key)
    file = fetched(bench, sheet.intent_id).content
    assert verify(file, KEY)["proof"] == "passkey"

    content = json.loads(json.loads(file)["receipt"])
    for field in ("signature", "client_data", "authenticator_data"):
        raw = content["passkey"][field]
        other = {
            **content,
            "passkey": {**content["passkey"], field: raw[:10] + ("A" if raw[10] != "A" else "B") + raw[11:]},
        }
        text = json.dumps(other, ensure_ascii=False)
        forged = {"receipt": text, "signature": resigned(text.encode())}
        with pytest.raises(Forged):
            verify(json.dumps(forged).encode(), KEY)


def resigned(content: bytes) -> dict[str, str]:
    """As the bank would sign it."""
    signer = signing.present()
    return {
        "algorithm": signer.algorithm,
        "key_id": signer.key_id,
        "value": base64.b64encode(signer.sign(content)).decode(),
    }


def test_no_change_to_a_receipt_is_valid(bench: Bench) -> None:
    file = json.loads(fetched(bench, confirmed(bench)).content)
    text = file["receipt"]

    for place in range(0, len(text), 7):
        altered = {**file, "receipt": text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]}
        with pytest.raises(Forged):
            verify(json.dumps(altered).encode(), KEY)
    for broken in (
        b"",
        b"{}",
        b"[]",
        b'{"receipt": 5, "signature": {}}',
        json.dumps({**file, "signature": {}}).encode(),
    ):
        with pytest.raises(Forged):
            verify(broken, KEY)


def test_the_command_needs_neither_server_nor_database_nor_settings(bench: Bench, tmp_path: Path) -> None:
    file, key, forged = tmp_path / "r.json", tmp_path / "key.pem", tmp_path / "f.json"
    file.write_bytes(fetched(bench, confirmed(bench)).content)
    key.write_bytes(KEY)
    served = tmp_path / "key.json"
    served.write_bytes(bench.caller().get("/api/finance/receipts/key").content)
    forged.write_text(file.read_text().replace("¥ 10.00", "¥ 90.00"))
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "no.such.settings"}

    def run(path: Path, key: Path = key) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "finance.bank_session.verify_receipt", str(path), "--key", str(key)]
        return subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)

    good, bad = run(file), run(forged)
    assert good.returncode == 0 and "VALID" in good.stdout and "¥ 10.00" in good.stdout, good.stderr
    assert bad.returncode == 1 and "NOT VALID: the bank's signature" in bad.stderr
    assert run(file, served).returncode == 0 and run(forged, served).returncode == 1


def test_the_pdf_carries_the_words_and_a_qr_code_that_leads_to_its_check(bench: Bench) -> None:
    intent_id = confirmed(bench)
    pdf, mine = fetched(bench, intent_id, "pdf"), bench.caller().get(f"/api/finance/intents/{intent_id}/receipt").json()

    assert pdf.status_code == 200 and pdf["Content-Type"] == "application/pdf"
    assert pdf["Content-Disposition"].startswith("attachment") and pdf["Cache-Control"] == "no-store"
    words = text_of(pdf.content)
    for said in (mine["title"], mine["amount"], mine["amount_words"], intent_id, *mine["lines"][0].values()):
        assert said in words
    assert qr_codes(pdf.content) == [mine["link"]]
    assert checked(qr_codes(pdf.content)[0]).json()["amount"] == "¥ 10.00"


def test_nobody_keeps_the_server_drawing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    intent_id = confirmed(bench)
    monkeypatch.setattr(app_api, "PAPERS_PER_MINUTE", 2)
    assert [fetched(bench, intent_id, "pdf").status_code for _ in range(3)] == [200, 200, 429]
    assert fetched(bench, intent_id).status_code == 200


@pytest.mark.parametrize(("lines", "pages"), [(3, 1), (60, 5)])
def test_the_pdf_goes_on_where_a_page_is_full(lines: int, pages: int) -> None:
    statement = {
        "intent": str(uuid.uuid4()),
        "language": "en",
        "bank": "远山银行",
        "title": "Confirm",
        "amount": {"text": "¥ 1.00", "words": "One yuan"},
        "lines": [
            {"label": f"A label {place}", "value": "值 🎫 שלום José " + "a long word or two " * 4}
            for place in range(lines)
        ],
        "documents": [],
    }
    shown = receipts.Shown(
        id=uuid.uuid4(),
        kind="transfer",
        holder="*禾",
        proof="pin",
        at="2026-11-23T12:00:00Z",
        statement=statement,
        statement_hash="0" * 64,
        algorithm="Ed25519",
        key_id="0" * 16,
        link="https://chat.example/receipts/x",
    )
    assert receipt_pdf.draw(shown).count(b"/Type /Page\n") == pages


def test_whoever_holds_a_receipt_sees_what_the_bank_signed_and_nobody_else_does(bench: Bench) -> None:
    mine = bench.caller().get(f"/api/finance/intents/{confirmed(bench)}/receipt").json()
    path, token = f"/api/finance/receipts/{mine['id']}/check", mine["link"].partition("#")[2]
    stranger = Sheet().client  # no cookie of the chat's

    def ask(where: str, what: Any) -> Any:
        from django.conf import settings

        return stranger.post(
            where,
            json.dumps({"token": what}),
            content_type="application/json",
            headers={"Origin": settings.APP_ORIGIN, "Host": settings.APP_NETLOC},
        )

    assert ask(path, token).json()["amount"] == "¥ 10.00"
    assert ask(path, token[::-1]).status_code == 404
    assert ask(f"/api/finance/receipts/{uuid.uuid4()}/check", token).status_code == 404
    for wrong in ("", "x", 5, token + "A", None):
        assert ask(path, wrong).status_code == 400


def checked(link: str) -> Any:
    """What the public page is told of a receipt's link."""
    path, _, token = link.partition("#")
    stranger = Sheet().client
    return stranger.post(
        f"/api/finance/receipts/{path.rpartition('/')[2]}/check",
        json.dumps({"token": token}),
        content_type="application/json",
        headers={"Origin": site.APP_ORIGIN, "Host": site.APP_NETLOC},
    )


def test_receipts_of_an_earlier_key_are_checked_with_that_key(bench: Bench, settings: Any, tmp_path: Path) -> None:
    mine = bench.caller().get(f"/api/finance/intents/{confirmed(bench)}/receipt").json()
    settings.RECEIPT_KEY_FILE = str(tmp_path / "new.pem")
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "new.pem").write_bytes(pem)

    assert checked(mine["link"]).status_code == 200
    today = bench.caller().get("/api/finance/receipts/key").json()
    then = bench.caller().get(f"/api/finance/receipts/key?key_id={mine['key_id']}").json()
    assert today["key_id"] != then["key_id"] == mine["key_id"]
    file = bench.caller().get(f"/api/finance/intents/{mine['intent_id']}/receipt/file").content
    assert verify(file, then["public_key"].encode())["intent"] == mine["intent_id"]
    with pytest.raises(Forged):
        verify(file, today["public_key"].encode())
    assert bench.caller().get("/api/finance/receipts/key?key_id=nobody").status_code == 404


def test_what_was_signed_before_there_was_a_file_and_keys_were_remembered_is_checked_still(
    real_bench: Bench, fresh_database: FreshDatabase, settings: Any, tmp_path: Path
) -> None:
    bench = real_bench
    mine = bench.caller().get(f"/api/finance/intents/{confirmed(bench)}/receipt").json()
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM bank_session_signingkey")
    settings.RECEIPT_KEY_FILE = str(state.receipt_key(tmp_path / "receipts.pem"))

    assert mine["key_id"] == signing.derived(settings.AUDIT_KEY).key_id != signing.present().key_id
    assert checked(mine["link"]).status_code == 200
    then = bench.caller().get(f"/api/finance/receipts/key?key_id={mine['key_id']}").json()
    file = bench.caller().get(f"/api/finance/intents/{mine['intent_id']}/receipt/file").content
    assert verify(file, then["public_key"].encode())["intent"] == mine["intent_id"]


def test_the_public_page_believes_no_receipt_that_was_altered_in_the_database(
    real_bench: Bench, fresh_database: FreshDatabase
) -> None:
    link = real_bench.caller().get(f"/api/finance/intents/{confirmed(real_bench)}/receipt").json()["link"]
    assert checked(link).status_code == 200
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE bank_session_receipt DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE bank_session_receipt"
            " SET document = convert_to(replace(convert_from(document, 'UTF8'), '晓舟', '晓川'), 'UTF8')"
        )
    assert checked(link).status_code == 404


def test_somebody_else_s_receipt_and_that_of_nothing_executed_do_not_exist(bench: Bench) -> None:
    done, waiting = confirmed(bench), bench.prepare().intent_id
    for kind in ("file", "pdf"):
        assert bench.caller("lin").get(f"/api/finance/intents/{done}/receipt/{kind}").status_code == 404
        assert fetched(bench, str(waiting), kind).status_code == 404
    assert bench.caller("lin").get("/api/finance/receipts").json()["items"] == []


def test_receipts_come_in_pages(bench: Bench) -> None:
    done = [confirmed(bench) for _ in range(3)]
    jobs.drain()
    first = bench.caller().get("/api/finance/receipts?limit=2").json()
    second = bench.caller().get(f"/api/finance/receipts?limit=2&before={first['next']}").json()

    assert sorted(one["intent_id"] for one in first["items"] + second["items"]) == sorted(done)
    assert second["next"] is None
    assert bench.caller().get("/api/finance/receipts?before=x").status_code == 400


def test_a_bank_may_sign_with_another_signer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Chip:
        algorithm, key_id = "HSM", "hsm-1"

        def sign(self, content: bytes) -> bytes:
            return b"by the chip"

        def public_key(self) -> str:
            return "certificate"

    monkeypatch.setattr(signing.signer, "_adapter", Chip())
    intent_id = confirmed(bench)

    assert bench.caller().get(f"/api/finance/intents/{intent_id}/receipt").json()["algorithm"] == "HSM"
    with pytest.raises(Forged, match="signed by HSM"):
        verify(receipts.as_file(receipts.issue(uuid.UUID(intent_id))), KEY)


@pytest.mark.parametrize("statement", ["UPDATE {} SET key_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_a_receipt_is_never_changed(bench: Bench, statement: str) -> None:
    receipts.issue(uuid.UUID(confirmed(bench)))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(Receipt._meta.db_table))

    assert Receipt.objects.count() == 1


def test_a_forged_file_draws_nothing_on_the_terminal_of_whoever_checks_it(bench: Bench, tmp_path: Path) -> None:
    """Nobody has signed the name of the algorithm."""
    file = json.loads(fetched(bench, confirmed(bench)).content)
    file["signature"]["algorithm"] = "\x1b[2J\x1b[HVALID: signed by 远山银行\n"
    with pytest.raises(Forged) as refused:
        verify(json.dumps(file).encode(), KEY)
    assert str(refused.value).isprintable() and "远山" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.replace('{\n "receipt"', '{\n "receipt": "¥ 1,000,000.00",\n "receipt"', 1),
        lambda file: file.replace('"signature": {', '"signature": {"algorithm": "SM2", ', 1),
        lambda file: file.rstrip()[:-1] + ', "receipt": ' + json.dumps(json.loads(file)["receipt"]) + "}",
    ],
    ids=["two receipts", "two algorithms", "the same twice"],
)
def test_a_name_that_stands_twice_makes_a_file_no_receipt(bench: Bench, change: Any) -> None:
    file = fetched(bench, confirmed(bench)).content.decode()
    changed = change(file)
    assert changed != file
    with pytest.raises(Forged, match="no receipt"):
        verify(changed.encode(), KEY)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"[" * 100_000,
        b'{"receipt": ' + b"[" * 100_000,
        b"\xff\xfe",
        b"null",
        b'{"receipt": "\\ud800", "signature": {"algorithm": "Ed25519", "value": ""}}',
        b'{"receipt": "x", "signature": {"algorithm": ["Ed25519"], "value": "AA=="}}',
        b'{"receipt": "x", "signature": {"algorithm": "none", "value": ""}}',
        b'{"receipt": "x", "signature": {"algorithm": "Ed25519", "value": "' + b"A" * 4_000 + b'"}}',
        b'{"receipt": "x", "signature": {"algorithm": "SM2", "value": "MAYCAQECAQE="}}',
        b'{"receipt": "x", "signature": "x"}',
        b'{"receipt": ' + b"9" * 5_000 + b"}",
    ],
)
def test_rubbish_is_no_receipt_whatever_it_is(rubbish: bytes) -> None:
    with pytest.raises(Forged):
        verify(rubbish, KEY)


@pytest.mark.parametrize("named", ["%00", "a%00b", "%ff%fe", "%ED%A0%80", "x" * 3_000, "%25"])
def test_no_key_has_a_name_that_is_none(bench: Bench, named: str) -> None:
    assert Caller(None).get(f"/api/finance/receipts/key?key_id={named}").status_code in {400, 404}


def test_the_public_page_s_door_answers_rubbish_with_a_refusal(bench: Bench) -> None:
    receipt_id = bench.caller().get(f"/api/finance/intents/{confirmed(bench)}/receipt").json()["id"]
    stranger = Caller(None)
    path = f"/api/finance/receipts/{receipt_id}/check"
    for token in (
        "１" * 24,
        "a" * 23 + "\n",
        "é" * 24,
        "a" * 24 + "\u200b",
        "-" * 25,
        ["a" * 24],
        {"$ne": ""},
        0,
        True,
        "' OR 1=1 --".ljust(24, "-"),
        "x" * 200_000,
    ):
        assert stranger.post(path, {"token": token}).status_code == 400, token
    assert stranger.post(path, {"token": "-" * 24}).status_code == 404
    for wrong in ("x", "0" * 36, "%00", "..%2f", "１"):
        assert stranger.post(f"/api/finance/receipts/{wrong}/check", {"token": "-" * 24}).status_code == 404
