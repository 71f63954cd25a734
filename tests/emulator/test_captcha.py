from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from genauth_async import CaptchaRequiredError, InvalidCredentialsError, InvalidPassCodeError, SignInOptionsDto
from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import SignIn

_SVG = "{http://www.w3.org/2000/svg}"


def _new_captcha(http: httpx.Client) -> tuple[str, str]:
    data = http.get("/api/v3/get-captcha-code").json()["data"]
    assert set(data) == {"captchaCodeSvg", "captchaToken"}
    return data["captchaToken"], data["captchaCodeSvg"]


def test_the_picture_shows_the_code_within_its_bounds(emulator: Emulator, http: httpx.Client) -> None:
    token, picture = _new_captcha(http)
    svg = ET.fromstring(picture)
    assert svg.tag == f"{_SVG}svg"
    characters = svg.findall(f"{_SVG}text")
    places = [float(character.attrib["x"]) for character in characters]
    assert places == sorted(places)
    assert all(0 < place < float(svg.attrib["width"]) for place in places)
    assert all(0 < float(character.attrib["y"]) < float(svg.attrib["height"]) for character in characters)
    assert "".join(character.text or "" for character in characters) == emulator.captchas.code_for(token)
    assert svg.findall(f"{_SVG}path")  # so that it is no mere text


def test_no_two_captchas_are_alike(emulator: Emulator, http: httpx.Client) -> None:
    made = [_new_captcha(http) for _ in range(20)]
    assert len({token for token, _ in made}) == len({picture for _, picture in made}) == 20
    assert len({emulator.captchas.code_for(token) for token, _ in made}) > 10


@pytest.mark.anyio
@pytest.mark.usefixtures("user")
async def test_a_user_copies_it_in_upper_or_lower_case(face: Any, emulator: Emulator) -> None:
    captcha = (await face.gene_catcha_code_and_token()).data
    assert captcha.captcha_code_svg.startswith("<svg")
    code = emulator.captchas.code_for(captcha.captcha_token).lower()
    options = SignInOptionsDto(captcha_code=code, captcha_token=captcha.captcha_token)
    answer = await face.sign_in_by_account_password("ada", "passw0rd", options)
    assert answer.data.access_token


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("password", ["passw0rd", "wrong"])
def test_a_captcha_is_good_once(emulator: Emulator, http: httpx.Client, sign_in: SignIn, password: str) -> None:
    token, _ = _new_captcha(http)
    options = {"captchaToken": token, "captchaCode": emulator.captchas.code_for(token)}
    sign_in(passwordPayload={"account": "ada", "password": password}, options=options)
    assert sign_in(options=options)["statusCode"] == 400
    with pytest.raises(Exception, match="used"):
        emulator.captchas.code_for(token)


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("wrong", ["0000", "", "\ud800", None])
def test_a_wrong_copy_is_refused_and_uses_the_captcha_up(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn, wrong: str | None
) -> None:
    token, _ = _new_captcha(http)
    code = emulator.captchas.code_for(token)
    refused = sign_in(options={"captchaToken": token, "captchaCode": wrong})
    assert refused["statusCode"] == 400
    again = sign_in(options={"captchaToken": token, "captchaCode": code})
    assert again["statusCode"] == (200 if not wrong else 400)  # what is missing is no guess
    assert sign_in(options={"captchaCode": code})["message"] == "options.captchaToken is required"


@pytest.mark.usefixtures("user")
def test_a_captcha_expires(emulator: Emulator, http: httpx.Client, sign_in: SignIn) -> None:
    token, _ = _new_captcha(http)
    options = {"captchaToken": token, "captchaCode": emulator.captchas.code_for(token)}
    emulator.clock.advance(300)
    assert sign_in(options=options)["statusCode"] == 400


@pytest.mark.anyio
async def test_wrong_passwords_make_it_required(face: Any, emulator: Emulator, user: User) -> None:
    emulator.captchas.required_after = 2
    for _ in range(2):
        with pytest.raises(InvalidCredentialsError):
            await face.sign_in_by_account_password("ada", "wrong")
    with pytest.raises(CaptchaRequiredError):
        await face.sign_in_by_account_password("ada", "passw0rd")

    captcha = (await face.gene_catcha_code_and_token()).data
    wrong = SignInOptionsDto(captcha_code="0000", captcha_token=captcha.captcha_token)
    with pytest.raises(InvalidPassCodeError):
        await face.sign_in_by_account_password("ada", "passw0rd", wrong)
    assert user.failed_passwords == 2  # without a captcha, no password is tried

    captcha = (await face.gene_catcha_code_and_token()).data
    code = emulator.captchas.code_for(captcha.captcha_token)
    right = SignInOptionsDto(captcha_code=code, captcha_token=captcha.captcha_token)
    await face.sign_in_by_account_password("ada", "passw0rd", right)
    await face.sign_in_by_account_password("ada", "passw0rd")  # the count began again


@pytest.mark.usefixtures("user")
def test_it_is_never_required_unless_that_is_set(emulator: Emulator, sign_in: SignIn) -> None:
    assert emulator.captchas.required_after is None
    assert Emulator(captcha_after_failures=3).captchas.required_after == 3
    for _ in range(4):
        assert sign_in(passwordPayload={"account": "ada", "password": "wrong"})["apiCode"] == 2333
    assert sign_in()["statusCode"] == 200
