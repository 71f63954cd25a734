from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from genauth_async import qr

TEXTS = [
    "https://example.genauth.ai/qr?scene=APP_AUTH&random=abc",
    "otpauth://totp/GenAuth:ada%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=GenAuth",
    "a",
    "二维码 🔑",
    "x" * 2000,
]


def read(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image)]


def screenshot(lines: str) -> Image.Image:
    """Draw the terminal as a camera sees it: blocks are light on a dark background."""
    rows: list[list[int]] = []
    for line in lines.splitlines():
        rows += [[255 * (char in shown) for char in line] for shown in ("█▀", "█▄")]
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    return image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)


@pytest.mark.parametrize("text", TEXTS)
def test_a_png_reads_as_the_text(text: str) -> None:
    assert read(Image.open(BytesIO(qr.to_png(text)))) == [text]


@pytest.mark.parametrize("text", TEXTS)
def test_a_terminal_reads_as_the_text(text: str) -> None:
    assert read(screenshot(qr.to_terminal(text))) == [text]


def test_the_scale_is_the_side_of_a_square() -> None:
    small, big = (Image.open(BytesIO(qr.to_png("text", scale=scale))) for scale in (1, 7))
    assert big.size == (7 * small.width, 7 * small.height)


def test_an_svg_holds_the_squares_and_not_the_text() -> None:
    svg = qr.to_svg("text", scale=3)
    assert svg.startswith("<svg")
    assert svg.count("<path") == 2
    assert "text" not in svg
    assert svg != qr.to_svg("test", scale=3)


@pytest.mark.parametrize("text", ["", "secret" * 1000])
def test_what_fits_no_qr_code_is_refused_without_being_shown(text: str) -> None:
    for make in (qr.to_png, qr.to_svg, qr.to_terminal):
        with pytest.raises(ValueError, match="QR code") as caught:
            make(text)
        assert "secret" not in str(caught.value)


def test_the_missing_extra_is_named() -> None:
    program = """
import sys
sys.modules["segno"] = None
from genauth_async import qr
try:
    qr.to_png("text")
except ImportError as error:
    assert "genauth-async[qrcode]" in str(error), error
else:
    raise AssertionError("it was imported")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
