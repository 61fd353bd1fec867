"""A base backup and the write-ahead log bring the bank back to any second: books and audit chain match, and nothing
that was acknowledged before that second is missing."""

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from accounts.actions.registration import create_person
from deploy.local.postgres import APP, OWNER, Cluster, free_ports, unprivileged_account
from deploy.local.processes import Children, Failed
from deploy.local.run import copy_programs, wheel_binaries
from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.actions import Leg
from finance.ledger.models import Entry
from finance.ledger.verify import verify
from kernel import audit
from tests.conftest import _point_at
from tests.faults.figures import LONG, SEED, note
from tests.support import database, obtain, run

BANK = "bank"
HANDS = 3
WORK_S = 20.0 if LONG else 4.0
FEN = 7
ARCHIVE_LIMIT_S = 60


@dataclass
class Done:
    """What one hand did: each entry with the moments before it was asked for and after it was acknowledged."""

    entries: list[tuple[str, datetime, datetime]] = field(default_factory=list)


class Bank:
    """A cluster of its own whose log is archived, and the copy that is made of it."""

    def __init__(self, folder: Path) -> None:
        database.server()
        self.folder, self.children, self.account = folder, Children(), unprivileged_account()
        binaries = obtain.postgres_binaries() or wheel_binaries()
        if self.account is not None and binaries.is_relative_to(run.ROOT):
            binaries = copy_programs(binaries, run.folder())
        self.binaries, self.archive = binaries, folder / "archive"
        self.archive.mkdir(parents=True)
        # The migrated data folder that every run begins with; its roles and passwords are that run's.
        if "TEST_DATABASE_URL" in os.environ:
            raise Failed("The restore test loses a server of its own: unset TEST_DATABASE_URL for it.")
        (folder / "first").mkdir()
        database.unpack(database._cached(binaries), folder / "first")
        database._give(folder, self.account)
        if self.account is not None:
            folder.chmod(0o755)
        self.first = self._cluster(
            "first",
            archive_mode="on",
            archive_command=f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f",
            wal_level="replica",
            max_wal_senders="4",
        )

    def _cluster(self, name: str, **settings: str) -> Cluster:
        passwords = database.server()
        return Cluster(
            self.folder / name,
            self.binaries,
            passwords.superuser_password,
            self.children,
            self.folder / f"{name}.log",
            account=self.account,
            port=free_ports(1)[0],
            settings=settings,
            short=run.folder(),
        )

    def start(self, cluster: Cluster) -> None:
        cluster.start()
        assert cluster.server
        run.register(cluster.server.pid)

    def url(self, cluster: Cluster, role: str = APP) -> str:
        passwords = database.server()
        secret = {APP: passwords.app_password, OWNER: passwords.owner_password}[role]
        return cluster.url(role, secret, BANK)

    def back_up(self) -> None:
        """A base backup while the bank works."""
        subprocess.run(
            [
                *(str(self.binaries / "pg_basebackup"), "-d", self.first.superuser_url(), "-X", "none"),
                *("--checkpoint=fast", "-D", str(self.folder / "second" / "data")),
            ],
            check=True,
            capture_output=True,
        )

    def restore(self, moment: datetime) -> Cluster:
        """A server on the backup and the archived log up to a moment."""
        home = self.folder / "second"
        (home / "data" / "recovery.signal").write_text("")
        (home / "initialised").write_text("")
        database._give(home, self.account)
        (home / "data").chmod(0o700)
        second = self._cluster(
            "second",
            restore_command=f"cp {self.archive}/%f %p",
            recovery_target_time=moment.isoformat(),
            recovery_target_action="promote",
        )
        self.start(second)
        until = time.monotonic() + ARCHIVE_LIMIT_S
        while second.sql("SELECT pg_is_in_recovery()") == "t":
            assert time.monotonic() < until, "the log is not played to its end"
            time.sleep(0.1)
        return second


@pytest.fixture
def bank(django_db_blocker: DjangoDbBlocker) -> Iterator[Bank]:
    folder = run.folder() / f"restore-{uuid4().hex[:8]}"
    folder.mkdir()
    made = Bank(folder)
    before = None
    try:
        made.start(made.first)
        made.first.sql(f"CREATE DATABASE {BANK} TEMPLATE {database.MIGRATED} OWNER {OWNER}")
        with django_db_blocker.unblock():
            connections.close_all()
            before = _point_at(made.url(made.first))
            yield made
    finally:
        if before:
            with django_db_blocker.unblock():
                connections.close_all()
                connections["default"].settings_dict.update(before)
        made.children.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def _open_accounts() -> list[ledger.Leg]:
    opening = books.internal("demo-opening").pk
    legs = []
    for number in range(HANDS):
        person = create_person(
            kind="customer", phone=f"1360000000{number}", display_name=f"客户{number}", password=None
        )
        with transaction.atomic():
            account = ledger.open_account(
                owner_id=person.pk, account_type="customer", account_class="I", name="储蓄卡", key=f"r{number}"
            )
            funds = [Leg(opening, -1_000_000), Leg(account.pk, 1_000_000)]
            ledger.post(key=f"f{number}", kind="opening", legs=funds, memo="期初")
        legs.append(Leg(account.pk, 0))
    return legs


def _work(payer: Leg, payee: Leg, over: threading.Event, done: Done) -> None:
    try:
        while not over.is_set():
            asked = datetime.now(UTC)
            with transaction.atomic():
                entry = ledger.post(
                    key=str(uuid4()),
                    kind="transfer",
                    legs=[Leg(payer.account_id, -FEN), Leg(payee.account_id, FEN)],
                    memo="转账",
                )
                audit.record(None, "test.posted", f"entry:{entry.entry_id}")
            done.entries.append((str(entry.entry_id), asked, datetime.now(UTC)))
    finally:
        connection.close()


def test_a_restore_to_any_second_has_books_chain_and_all_that_was_acknowledged(bank: Bank, tmp_path: Path) -> None:
    accounts = _open_accounts()
    heads = tmp_path / "heads"
    published: list[tuple[datetime, str]] = []
    over, done = threading.Event(), [Done() for _ in accounts]
    hands = [
        threading.Thread(target=_work, args=(accounts[index], accounts[(index + 1) % HANDS], over, done[index]))
        for index in range(HANDS)
    ]
    for hand in hands:
        hand.start()
    bank.back_up()
    backed_up = datetime.now(UTC)
    until = time.monotonic() + WORK_S
    while time.monotonic() < until:
        audit.seal_and_publish(heads)
        published.append((datetime.now(UTC), heads.read_text() if heads.exists() else ""))
        time.sleep(0.1)
    over.set()
    for hand in hands:
        hand.join()
    entries = [entry for one in done for entry in one.entries]
    moments = sorted(acknowledged for _, _, acknowledged in entries if acknowledged > backed_up)
    assert len(moments) > 10
    moment = random.Random(SEED).choice(moments[len(moments) // 4 :]) + timedelta(milliseconds=1)
    # The log is brought to safety as an operator's archive does; then the first server is lost.
    bank.first.sql("SELECT pg_switch_wal()")
    last = bank.first.sql("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
    until = time.monotonic() + ARCHIVE_LIMIT_S
    while bank.first.sql("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver") < last:
        assert time.monotonic() < until, "the log is not archived"
        time.sleep(0.1)
    connections.close_all()
    bank.first.kill()

    second = bank.restore(moment)
    connections.close_all()
    _point_at(bank.url(second))

    found = {str(pk) for pk in Entry.objects.filter(kind="transfer").values_list("pk", flat=True)}
    lost = [entry for entry, _, acknowledged in entries if acknowledged <= moment and entry not in found]
    early = [entry for entry, asked, _ in entries if asked > moment and entry in found]
    kept = tmp_path / "heads-of-then"
    kept.write_text(next(text for at, text in reversed(published) if at <= moment))
    rows, broken = audit.verify(kept)
    report = verify()
    note(restore_acked_lost=len(lost), restore_entries=len(found), restore_books_hold=float(report.broken is None))
    assert found and len(found) < len(entries) + 1
    assert (lost, early, report.broken, broken) == ([], [], None, None)
    assert rows > 0
    # It is a bank again: money moves on it.
    with transaction.atomic():
        legs = [Leg(accounts[0].account_id, -FEN), Leg(accounts[1].account_id, FEN)]
        assert not ledger.post(key="after", kind="transfer", legs=legs, memo="转账").replayed
