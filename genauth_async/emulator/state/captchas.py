"""Captchas: pictures of a few characters that a person has to copy."""

from __future__ import annotations

import secrets
from random import SystemRandom

from .encoding import same_text
from .errors import Refusal
from .tickets import Tickets

_CHARACTERS = "ABCDEFGHJKLMNPQRTUVWXYZ2346789"  # none that look like another
_LENGTH = 4
_WIDTH, _HEIGHT = 150, 50
_LIFETIME = 300
_NOISE_LINES = 5
_FONT = 'font-family="monospace" font-weight="bold" text-anchor="middle"'


class Captchas:
    """All captchas.

    Attributes:
        required_after: the number of wrong passwords in a row after which a user needs one to sign in; None for never.
    """

    def __init__(self, tickets: Tickets) -> None:
        self.required_after: int | None = None
        self._tickets = tickets

    def required_from(self, failed_passwords: int) -> bool:
        """Return whether a user needs a captcha after so many wrong passwords."""
        return self.required_after is not None and failed_passwords >= self.required_after

    def issue(self) -> tuple[str, str]:
        """Draw a captcha; return its token and its picture."""
        code = "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))
        return self._tickets.issue("captcha", lifetime=_LIFETIME, code=code), _draw(code)

    def code_for(self, captcha_token: str) -> str:
        """Return the characters in the picture."""
        return str(self._tickets.peek("captcha", captcha_token).facts["code"])

    def redeem(self, captcha_token: str, code: str) -> None:
        """Use up a captcha, whether the code is right or wrong; upper and lower case are the same."""
        expected = str(self._tickets.redeem("captcha", captcha_token).facts["code"])
        if not same_text(code.strip().upper(), expected):
            raise Refusal.WRONG_CAPTCHA.error()


def _draw(code: str) -> str:
    dice = SystemRandom()
    shapes = [f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#f4f4f0"/>']
    for _ in range(_NOISE_LINES):
        points = " ".join(f"{dice.randrange(_WIDTH)} {dice.randrange(_HEIGHT)}" for _ in range(4))
        shapes.append(f'<path d="M{points}" fill="none" stroke="{_color(dice)}"/>')
    step = _WIDTH // (len(code) + 1)
    for place, character in enumerate(code, 1):
        x, y = place * step, _HEIGHT // 2 + dice.randint(8, 14)
        turn = f"rotate({dice.randint(-20, 20)} {x} {y})"
        place_and_size = f'x="{x}" y="{y}" font-size="{dice.randint(28, 34)}" transform="{turn}"'
        shapes.append(f'<text {place_and_size} {_FONT} fill="{_color(dice)}">{character}</text>')
    view = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {view}>{"".join(shapes)}</svg>'


def _color(dice: SystemRandom) -> str:
    """Choose a colour that stands out from the background."""
    return "#" + "".join(f"{dice.randint(0, 0x90):02x}" for _ in range(3))
