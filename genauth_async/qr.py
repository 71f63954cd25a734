"""QR codes of login pages, authenticator secrets and other texts for a phone.

    print(qr.to_terminal(url))
    page.image(qr.to_png(otp_data.qr_code_uri))

It requires the extra `qrcode`. The codes are made locally: nothing is sent anywhere.
"""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from ._core.tracebacks import clears_frames

if TYPE_CHECKING:
    from segno import QRCode


@clears_frames
def to_terminal(text: str) -> str:
    """Render a QR code as lines to print, two of its rows per line; for light letters on a dark background.

    Raises:
        ValueError: the text is empty, or too long for a QR code.
        ImportError: the extra `qrcode` is not installed.
    """
    out = StringIO()
    _code(text).terminal(out, compact=True)
    return out.getvalue()


@clears_frames
def to_png(text: str, *, scale: int = 4) -> bytes:
    """Render a QR code as a PNG image.

    Args:
        text: the text for the phone.
        scale: pixels for each side of a square.

    Raises:
        ValueError: the text is empty, or too long for a QR code; or the scale is not a positive number.
        ImportError: the extra `qrcode` is not installed.
    """
    out = BytesIO()
    _code(text).save(out, kind="png", scale=scale)
    return out.getvalue()


@clears_frames
def to_svg(text: str, *, scale: int = 4) -> str:
    """Render a QR code as an SVG element to embed in a page.

    Args:
        text: the text for the phone.
        scale: units for each side of a square.

    Raises:
        ValueError: the text is empty, or too long for a QR code; or the scale is not a positive number.
        ImportError: the extra `qrcode` is not installed.
    """
    return _code(text).svg_inline(scale=scale, light="#fff")


def _code(text: str) -> QRCode:
    try:
        import segno
    except ModuleNotFoundError as missing:
        raise ImportError("QR codes require the package 'segno': pip install 'genauth-async[qrcode]'") from missing
    if not text:
        raise ValueError("the text for the QR code must not be empty")
    try:
        return segno.make_qr(text)  # never a Micro QR code, which phones cannot read
    except segno.DataOverflowError:
        raise ValueError(f"{len(text)} characters are too many for a QR code") from None
