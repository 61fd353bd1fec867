"""Files of product documents: taken in byte for byte, under the hash of their bytes."""

import codecs
import hashlib
from uuid import UUID

from django.db import transaction

from finance.wealth.access import may_enter_products
from finance.wealth.errors import FileNotReadable, FileTooLarge
from finance.wealth.models import DocumentFile
from kernel import audit
from kernel.text import is_plain

MOST_MIB = 5
MOST_BYTES = MOST_MIB * 1024 * 1024
_PDF_HEAD, _PDF_END, _TAIL = b"%PDF-", b"%%EOF", 1024


def _text(content: bytes) -> str:
    """The words of a text file, without a byte-order mark and with plain line ends. Raises FileNotReadable."""
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise FileNotReadable from None
    text = text.replace("\r\n", "\n")
    if not text.strip() or not is_plain(text, multiline=True):
        raise FileNotReadable
    return text


@transaction.atomic
def take_file(*, maker_id: UUID, content: bytes) -> DocumentFile:
    """Keeps a PDF or a text in UTF-8; the same bytes again are the same file.

    Raises NotAllowed without the role, FileTooLarge, FileNotReadable.
    """
    may_enter_products(maker_id)
    if len(content) > MOST_BYTES:
        raise FileTooLarge(most_mib=MOST_MIB)
    if content.startswith(_PDF_HEAD):
        if _PDF_END not in content[-_TAIL:]:
            raise FileNotReadable
        media_type, text = DocumentFile.MediaType.PDF, ""
    else:
        media_type, text = DocumentFile.MediaType.TEXT, _text(content)
    sha256 = hashlib.sha256(content).hexdigest()
    file = DocumentFile(
        sha256=sha256, media_type=media_type, size=len(content), content=content, text=text, uploaded_by_id=maker_id
    )
    DocumentFile.objects.bulk_create([file], ignore_conflicts=True)
    kept = DocumentFile.objects.defer("content", "text").get(sha256=sha256)
    if kept.pk == file.pk:
        audit.record(maker_id, "wealth.file.taken", f"product-file:{kept.pk}", {"sha256": sha256, "size": kept.size})
    return kept
