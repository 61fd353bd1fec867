"""A receipt on paper, as a phone's camera sees it."""

import pypdfium2
import zxingcpp

SCALE = 2
"""Of 72 dots to the inch: what is drawn can be read at no more than a screen's sharpness."""


def qr_codes(pdf: bytes) -> list[str]:
    """What the QR codes on the document's pages say, found on the pages as they are drawn."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.render(scale=SCALE).to_pil() for page in document]
    found = [code for page in pages for code in zxingcpp.read_barcodes(page)]
    return [code.text for code in found if code.format == zxingcpp.BarcodeFormat.QRCode]


def text_of(pdf: bytes) -> str:
    """The words on its pages, whatever they are set in."""
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
