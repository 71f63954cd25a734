"""Takes the pictures of the emulator's pages in docs/pictures, with the system's Chromium.

    python -m tools.take_pictures

They show what the clock and the users below make of the pages; only the pass codes differ from time to time.
"""

from __future__ import annotations

import io
import secrets
import shutil
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from genauth_async.emulator import Clock, Emulator

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PORT = 9000  # has to be free, as the pictures show it
NOON = 1_796_126_400.0
COLOURS = 128


def main() -> None:
    """Write the pictures of the sign-in page and the status page."""
    emulator = Emulator(
        port=PORT,
        app_id="60a2f0c14b8e9d7a3c5f1e20",
        app_name="Northwind Orders",
        show_users=True,
        clock=Clock(lambda: NOON),
    )
    password = secrets.token_urlsafe()
    emulator.add_user(
        username="ada", email="ada@example.com", phone="13800000000", name="Ada Lovelace", password=password
    )
    emulator.add_user(email="grace@example.com", name="Grace Hopper", password=password).mfa_required = True
    emulator.add_user(username="linus", name="Linus", password=password).locked = True
    emulator.hosted_login.allow_redirect("http://localhost:8000/callback")
    emulator.inbox.send("email", "CHANNEL_RESET_PASSWORD", "grace@example.com")
    emulator.clock.advance(100)
    emulator.inbox.send("sms", "CHANNEL_LOGIN", "13800000000", phone_country_code="+86")
    emulator.clock.advance(20)
    request = {
        "client_id": emulator.app_id,
        "redirect_uri": "http://localhost:8000/callback",
        "response_type": "code",
        "scope": "openid profile",
    }
    with emulator, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 400}, device_scale_factor=1.5)
        page.goto(emulator.url)
        _take(page, "status")
        page.set_viewport_size({"width": 800, "height": 400})
        page.goto(f"{emulator.url}/oidc/auth?{urlencode(request)}")
        _take(page, "sign-in")
        browser.close()


def _take(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    PICTURES.mkdir(exist_ok=True)
    picture.convert("RGB").quantize(COLOURS).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
