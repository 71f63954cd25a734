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
            cookies: dict[str, str] = {}  # the request's
            out = client.login_with_redirect(scope="openid profile", cookies=cookies)
            callback_url = await anyio.to_thread.run_sync(sign_in_at_page, out.url, "ada", "passw0rd")

            # GET /callback: the framework gives its URL and cookies.
            name, _, value = out.set_cookies[0].partition(";")[0].partition("=")
            cookies = {name: value}
            tokens = await client.handle_redirect_callback(callback_url, cookies)
            home = Redirect(url="/", set_cookies=client.clear_login_cookies(callback_url, cookies))
            print(home.headers)

            # POST /logout
            print(client.logout_with_redirect("http://localhost:8000/", tokens.id_token).status)


anyio.run(main)
