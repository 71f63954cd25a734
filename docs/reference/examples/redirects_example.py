"""Signs a user in with the redirect helpers, which fit any web framework."""

import anyio

from genauth_async import AuthenticationClient, Redirect
from genauth_async.emulator import Emulator, sign_in_at_page


async def main() -> None:
    async with Emulator() as emulator:
        emulator.add_user(username="ada", password="passw0rd")
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, redirect_uri="http://localhost:8000/callback"
        )
        async with client:
            # GET /login: answer with out.status and out.headers, which send the browser away with a cookie.
            out = client.login_with_redirect(scope="openid profile", cookies="")  # the request's Cookie header
            callback_url = await anyio.to_thread.run_sync(sign_in_at_page, out.url, "ada", "passw0rd")

            # GET /callback: the framework gives its URL and the Cookie header.
            cookie_header = out.set_cookies[0].partition(";")[0]
            tokens = await client.handle_redirect_callback(callback_url, cookie_header)
            print(Redirect(url="/").headers)

            # POST /logout
            print(client.logout_with_redirect("http://localhost:8000/", tokens.id_token).status)


anyio.run(main)
