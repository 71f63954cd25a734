"""A program that holds secrets in its frames, fails, and prints the report of each error reporter as JSON.

Each secret begins with `canary`. The reporters are the real packages, with the settings that they have by themselves
and those that show most.
"""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import pprint
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
import loguru
import rich.console
import rich.pretty
import rich.traceback
import sentry_sdk
import structlog

import genauth_sync
from genauth_async import AuthenticationClient, MFARequiredError, models
from genauth_async._core.redaction import RedactedMapping
from genauth_async.models import Dto
from genauth_async.models._fields import required_attributes, secret_attributes
from genauth_async.oidc.redirects import Redirect
from genauth_async.stores import SessionRecord

TOKENS: dict[str, Any] = {name: f"canary-{name}" for name in ("access_token", "refresh_token", "id_token")}
SECRET = "canary-app-secret-of-more-than-32-letters"
RESPONSE = {"statusCode": 403, "data": {"mfaToken": "canary-mfa", "user": [{"token": "canary-token"}]}}


def dtos() -> Iterator[Dto]:
    """Yield one of each class that may hold a secret, and holds one."""
    for name in dir(models):
        cls = getattr(models, name)
        if not (isinstance(cls, type) and issubclass(cls, Dto)):
            continue
        values: dict[str, Any] = dict.fromkeys(required_attributes(cls), "text")
        values |= dict.fromkeys(secret_attributes(cls), "canary-secret")
        values |= {field.name: {"accessToken": "canary"} for field in attrs.fields(cls) if field.type == "object"}
        if "canary" in str(values):
            yield cls(**values)


def held() -> dict[str, object]:
    """Return what an application's frames hold, by name."""
    client = AuthenticationClient("app", "https://id.example", SECRET, "canary-user-token", redirect_uri="https://a/b")
    blocking = genauth_sync.AuthenticationClient("app", "https://id.example", SECRET, "canary-user-token")
    login = client.begin_login()
    error = MFARequiredError("more", status_code=403, response=RESPONSE)
    tokens = models.TokenSet(**TOKENS, obtained_at=0.0)
    answer = models.LoginTokenRespDto(
        status_code=200, data=models.LoginTokenResponseDataDto(**TOKENS), extra={"accessToken": "canary-extra"}
    )
    known: dict[str, object] = {
        "client": client,
        "blocking": blocking,
        "settings": client.settings,
        "session": client.session(TOKENS),
        "auth": client.session(TOKENS).auth,
        "blocking_session": blocking.session(TOKENS),
        "answer": answer,
        "in a list": [answer, {"answer": answer, "tokens": (tokens,)}],
        "items": (answer.data.items(), tokens.values(), answer.keys(), RedactedMapping(TOKENS).items()),
        "tokens": tokens,
        "record": SessionRecord(tokens=tokens, generation=1),
        "login": attrs.evolve(login, code_verifier="canary-verifier", nonce="canary-nonce", state="canary-state"),
        "redirect": Redirect(url="https://a/b?code=canary", set_cookies=("a=canary",)),
        "error": error,
        "response": error.response,
    }
    return known | {type(dto).__name__: dto for dto in dtos()}


def handle(held_here: object) -> None:
    raise ValueError(f"a fault of the application with {type(held_here).__name__}")


def caught(held_here: object) -> BaseException:
    try:
        handle(held_here)
    except ValueError as error:
        return error
    raise AssertionError("handle() did not fail")


def sentry() -> Callable[[object], str]:
    events: list[Any] = []
    sentry_sdk.init(dsn="https://x@127.0.0.1/1", before_send=lambda event, _: events.append(event))

    def report(value: object) -> str:
        events.clear()
        sentry_sdk.capture_exception(caught(value))
        if isinstance(value, BaseException):
            sentry_sdk.capture_exception(value)
        return json.dumps(events)

    return report


def rich_traceback(value: object, **options: Any) -> str:
    error = caught(value)
    shown = rich.traceback.Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, **options
    )
    output = io.StringIO()
    rich.console.Console(file=output, width=2000).print(shown)
    return output.getvalue()


def structlog_with(*processors: Any) -> Callable[[object], str]:
    output = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(output), processors=processors)

    def report(value: object) -> str:
        output.seek(0)
        output.truncate()
        log.error("failed", exc_info=caught(value), held_here=value)
        return output.getvalue()

    return report


def loguru_report(value: object) -> str:
    output = io.StringIO()
    number = loguru.logger.add(output, backtrace=True, diagnose=True)
    loguru.logger.opt(exception=caught(value)).error("failed with {}", value)
    loguru.logger.remove(number)
    return output.getvalue()


def logging_report(value: object) -> str:
    return logging.Formatter().format(logging.LogRecord("x", logging.ERROR, "x", 1, "%s %r", (value, value), None))


def walked(value: object) -> object:
    """Walk like a reporter of its own make: mappings, sequences, dataclasses, what attrs says may be shown."""
    if isinstance(value, Mapping):
        return {str(name): walked(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [walked(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: walked(getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr}
    cls: Any = type(value)
    if attrs.has(cls):
        shown = {field.name: field.repr for field in attrs.fields(cls) if field.repr}
        return {
            name: how(getattr(value, name)) if callable(how) else walked(getattr(value, name))
            for name, how in shown.items()
        }
    return repr(value)


REPORTERS: dict[str, Callable[[object], str]] = {
    "sentry": sentry(),
    "rich": rich_traceback,
    "rich in full": partial(rich_traceback, locals_max_string=None, locals_max_length=None),
    "rich.pretty": lambda value: rich.pretty.pretty_repr(value, max_width=2000),
    "structlog dict_tracebacks": structlog_with(
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=True, locals_max_string=10_000)
        ),
        structlog.processors.JSONRenderer(),
    ),
    "structlog ConsoleRenderer": structlog_with(structlog.dev.ConsoleRenderer()),
    "structlog KeyValueRenderer": structlog_with(structlog.processors.KeyValueRenderer()),
    "loguru": loguru_report,
    "logging": logging_report,
    "pprint": pprint.pformat,
    "a walk": lambda value: json.dumps(walked(value)),
}


def main() -> None:
    loguru.logger.remove()
    things = held()
    made = {name: {thing: report(value) for thing, value in things.items()} for name, report in REPORTERS.items()}
    # A plain mapping, to see that the reporter reports.
    json.dump(made | {"plain": {name: report({"a": "canary"}) for name, report in REPORTERS.items()}}, sys.stdout)


if __name__ == "__main__":
    main()
