"""Keeps a login attempt in a cookie, sealed, until the user is back."""

import time

from genauth_async import AuthenticationClient, LoginAttempt, StateMismatchError

client = AuthenticationClient(
    "your app id", "https://example.genauth.ai", "your app secret", redirect_uri="https://app.example/callback"
)
attempt = client.begin_login(scope="openid profile")
secret = "32 random characters or more, known to your servers only"
cookie = attempt.sealed(secret)
assert attempt.state not in cookie

assert LoginAttempt.unsealed(cookie, secret, now=time.time()).state == attempt.state
try:
    LoginAttempt.unsealed(cookie, "another secret".ljust(32, "."), now=time.time())
except StateMismatchError as error:
    print(error)
