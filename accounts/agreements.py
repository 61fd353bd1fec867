"""What people agree to: the user agreement and the privacy policy, in every version that was ever in force."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.errors import AgreementMoved, NotAgreed
from accounts.models import Consent
from kernel import audit
from kernel.errors import Language, NotFound

TERMS, PRIVACY = "terms", "privacy"
KINDS = (TERMS, PRIVACY)
_LANGUAGES: dict[Language, str] = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True)
class Agreement:
    """One text in one version. `sha256` covers both languages as they are shown."""

    kind: str
    version: str
    sha256: str
    texts: Mapping[Language, str]

    def title(self, language: Language) -> str:
        """Its first line."""
        return self.texts[language].split("\n", 1)[0]

    def body(self, language: Language) -> str:
        """Paragraphs and headings, a line each."""
        return self.texts[language].split("\n", 1)[1]


def _read(folder: Path, kind: str, version: str) -> Agreement:
    names: dict[Language, tuple[str, str]] = {
        "zh": (settings.BRAND, settings.BANK_NAME),
        "en": (settings.BRAND_EN, settings.BANK_NAME_EN),
    }
    texts = {
        language: (folder / f"{version}.{suffix}.txt")
        .read_text("utf-8")
        .replace("{brand}", names[language][0])
        .replace("{bank}", names[language][1])
        for language, suffix in _LANGUAGES.items()
    }
    digest = hashlib.sha256("\0".join(texts[language] for language in _LANGUAGES).encode()).hexdigest()
    return Agreement(kind, version, digest, texts)


@cache
def _shelf(folder: Path) -> dict[str, dict[str, Agreement]]:
    ending = f".{_LANGUAGES['zh']}.txt"
    found = {}
    for kind in KINDS:
        versions = sorted(path.name.removesuffix(ending) for path in (folder / kind).glob(f"*{ending}"))
        if not versions:
            raise ImproperlyConfigured(f"AGREEMENTS_DIR: no {kind}/<version>{ending} in {folder}")
        found[kind] = {version: _read(folder / kind, kind, version) for version in versions}
    return found


def in_force(kind: str) -> Agreement:
    """The newest version: the last by name."""
    return list(_shelf(Path(settings.AGREEMENTS_DIR))[kind].values())[-1]


def agreement(kind: str, version: str | None = None) -> Agreement:
    """This version of a text, or the one in force. Raises NotFound."""
    if kind not in KINDS:
        raise NotFound
    if version is None:
        return in_force(kind)
    found = _shelf(Path(settings.AGREEMENTS_DIR))[kind].get(version)
    if found is None:
        raise NotFound
    return found


def check(agreed: Mapping[str, str]) -> None:
    """That every text in force is agreed to in its version. Raises NotAgreed, AgreementMoved."""
    if missing := [kind for kind in KINDS if not agreed.get(kind)]:
        raise NotAgreed(fields={f"agreed.{kind}": "" for kind in missing})
    if any(agreed[kind] != in_force(kind).version for kind in KINDS):
        raise AgreementMoved


def consent(person_id: UUID, kinds: tuple[str, ...] = KINDS) -> None:
    """Keeps that a person agrees to what is in force, within the caller's transaction. Harmless twice."""
    for one in map(in_force, kinds):
        _, new = Consent.objects.get_or_create(person_id=person_id, kind=one.kind, version=one.version)
        if new:
            detail = {"kind": one.kind, "version": one.version, "sha256": one.sha256}
            audit.record(person_id, "accounts.agreed", f"person:{person_id}", detail)


def consents_of(person_id: UUID) -> dict[str, Consent]:
    """The last consent of a person to each kind of text."""
    given = Consent.objects.filter(person_id=person_id, kind__in=KINDS).order_by("at", "pk")
    return {one.kind: one for one in given}
