"""URLs of the hosted pages, made by hand; `begin_login` makes them with all that a safe sign-in needs."""

from genauth_async import AuthenticationClient

client = AuthenticationClient(
    "your app id",
    "https://example.genauth.ai",
    "your app secret",
    redirect_uri="https://app.example/callback",
    post_logout_redirect_uri="https://app.example/",
)
code_verifier = client.generate_code_challenge()
code_challenge = client.generate_code_challenge_digest(code_verifier)
url = client.build_authorize_url(
    scope="openid profile", state="kept in the user's session", code_challenge=code_challenge
)
assert url.startswith("https://example.genauth.ai/oidc/auth?client_id=your+app+id&")
assert code_verifier not in url
print(client.build_logout_url(id_token="the user's ID token"))
