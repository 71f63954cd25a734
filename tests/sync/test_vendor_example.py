"""The vendor's documented example for its Python SDK runs with only its import line changed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genauth_async.emulator import Emulator

EXAMPLE = """
from genauth import AuthenticationClient

authentication_client = AuthenticationClient(
    app_id='GEN_AUTH_APP_ID',
    app_secret='GEN_AUTH_APP_SECRET',
    app_host='GEN_AUTH_APP_HOST',
    redirect_uri='GEN_AUTH_APP_REDIRECT_URI',
)

sign_in_resp = authentication_client.sign_in_by_account_password(
    account="test",
    password="passw0rd",
)
print(sign_in_resp)

access_token = sign_in_resp["data"]["access_token"]
authentication_client.set_access_token(access_token)
resp = authentication_client.get_profile()
print(sign_in_resp["statusCode"], resp["data"]["username"])
"""


@pytest.mark.parametrize("package", ["genauth", "genauth_sync"])
def test_the_documented_example(package: str) -> None:
    with Emulator(app_id="GEN_AUTH_APP_ID", app_secret="GEN_AUTH_APP_SECRET") as emulator:
        emulator.add_user(username="test", password="passw0rd")
        program = EXAMPLE.replace("from genauth import", f"from {package} import")
        program = program.replace("'GEN_AUTH_APP_HOST'", repr(emulator.url))
        done = subprocess.run(
            [sys.executable, "-W", "error" if package == "genauth_sync" else "ignore", "-c", program],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
    printed, result = done.stdout.splitlines()
    assert result == "200 test"
    # The vendor prints the tokens; ours are masked.
    assert ("eyJ" in printed) is (package == "genauth")
    assert emulator.requests["/api/v3/signin"] == emulator.requests["/api/v3/get-profile"] == 1
