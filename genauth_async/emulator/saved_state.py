"""State files: users, applications, grants and keys of an emulator as JSON, for a later one that goes on with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import asdict, evolve, frozen
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter
from joserfc.errors import JoseError

from genauth_async._core.files import write_private

from .state.access.subjects import Memberships
from .state.apps import AccessAccount, App
from .state.factors import Factor, FactorType
from .state.grants import AccessToken, Grant, RefreshToken
from .state.passkeys import Passkey
from .state.settings import AccountRules, Settings
from .state.state import State
from .state.users import User

StatePath: TypeAlias = str | PathLike[str]

_FORMAT: Final = "genauth emulator state"
_VERSION: Final = 1
_FIELDS_OF_OPTION: Final = {
    "id": ["app_id"],
    "secret": ["app_secret"],
    "name": ["name"],
    "auth_method": [f"{kind}_endpoint_auth_method" for kind in ("token", "introspection", "revocation")],
}


class SavedStateError(ValueError):
    """A state file cannot be written or read; the message names the file and the remedy."""


@frozen(kw_only=True)
class SavedState:
    """The contents of a state file.

    Attributes:
        url: the URL that was given, if any.
        port: of the last start; 0 if there was none.
        clock_ahead: the seconds by which the clock was moved forward.
        fixed_codes: the pass codes that are always the same, by address.
        path: the file that it was read from.
    """

    url: str | None
    port: int
    clock_ahead: float
    wrap_system: bool
    captcha_after_failures: int | None
    settings: Settings
    account_rules: AccountRules
    default_app: str
    apps: list[App]
    access_accounts: list[AccessAccount]
    users: list[User]
    memberships: Memberships
    factors: list[Factor]
    offered_factors: list[FactorType]
    passkeys: list[Passkey]
    redirects: dict[str, list[str]]
    logout_redirects: dict[str, list[str]]
    consents: list[tuple[str, str, str]]
    cas_usernames: dict[str, str]
    fixed_codes: dict[str, str]
    signing_keys: list[dict[str, object]]
    password_keys: dict[str, str]
    grants: list[Grant]
    access_tokens: dict[str, AccessToken]
    refresh_tokens: dict[str, RefreshToken]
    path: StatePath = ""

    @classmethod
    def of(cls, state: State, *, url: str | None, port: int) -> SavedState:
        """Take the state of an emulator."""
        grants, access_tokens, refresh_tokens = state.grants.records()
        hosted = state.hosted_login
        return cls(
            url=url,
            port=port,
            clock_ahead=state.clock.ahead,
            wrap_system=state.wrap_system,
            captcha_after_failures=state.captchas.required_after,
            settings=state.settings,
            account_rules=state.account_rules,
            default_app=state.default_app.app_id,
            apps=[*state.apps.values()],
            access_accounts=[*state.access_accounts],
            users=[*state.users],
            memberships=state.access.memberships(),
            factors=[*state.factors],
            offered_factors=[*state.factors.offered],
            passkeys=[*state.passkeys],
            redirects=hosted.redirects.by_app(),
            logout_redirects=hosted.logout_redirects.by_app(),
            consents=hosted.consents(),
            cas_usernames=hosted.cas_usernames(),
            fixed_codes=state.inbox.fixed_codes(),
            signing_keys=state.signing_keys.records(),
            password_keys=state.password_keys.records(),
            grants=grants,
            access_tokens=access_tokens,
            refresh_tokens=refresh_tokens,
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of an emulator."""
        return {
            **asdict(self.settings),
            "app_id": self.default_app,
            "captcha_after_failures": self.captcha_after_failures,
            "wrap_system": self.wrap_system,
        }

    def with_options(self, settings: Mapping[str, Any], application: Mapping[str, Any]) -> SavedState:
        """Replace settings, and parts of the emulator's own application, by options of the command line."""
        given: dict[str, Any] = {}
        for name, value in application.items():
            given |= dict.fromkeys(_FIELDS_OF_OPTION[name], value)
        apps = [evolve(app, **given) if app.app_id == self.default_app else app for app in self.apps]
        return evolve(self, settings=evolve(self.settings, **settings), apps=apps)

    def restore(self, state: State) -> None:
        """Give a new emulator, which was created with the `arguments`, all the rest."""
        for name, value in asdict(self.account_rules).items():
            setattr(state.account_rules, name, value)
        state.apps |= {app.app_id: app for app in self.apps}
        state.default_app = state.apps[self.default_app]
        state.access_accounts.restore(self.access_accounts)
        for user in self.users:
            state.users.add(user)
        state.access.restore(self.memberships, self.users)
        for factor in self.factors:
            state.factors.add(factor)
        state.factors.offered = tuple(self.offered_factors)
        for passkey in self.passkeys:
            state.passkeys.add(passkey)
        for address, code in self.fixed_codes.items():
            state.inbox.fix_code(address, code)
        self._restore_hosted_login(state)
        if self.signing_keys:
            state.signing_keys.restore(self.signing_keys)
        if self.password_keys:
            state.password_keys.restore(self.password_keys)
        state.grants.restore(self.grants, self.access_tokens, self.refresh_tokens)

    def _restore_hosted_login(self, state: State) -> None:
        hosted = state.hosted_login
        for uri, app_id in _pairs(self.redirects):
            hosted.allow_redirect(uri, app_id=app_id)
        for uri, app_id in _pairs(self.logout_redirects):
            hosted.allow_logout_redirect(uri, app_id=app_id)
        users = {user.id: user for user in self.users}
        for user_id, app_id, scope in self.consents:
            if user_id in users:  # it may have been removed
                hosted.consent(users[user_id], scope, app_id=app_id)
        for app_id, template in self.cas_usernames.items():
            hosted.name_cas_users(template, app_id=app_id)

    def write(self, path: StatePath) -> None:
        """Replace a file atomically; only its owner may read it.

        Raises:
            SavedStateError: it cannot be written, or holds what JSON has not.
        """
        document = {"format": _FORMAT, "version": _VERSION, **_converter().unstructure(self)}
        try:
            text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
            write_private(Path(path).resolve(), f"{text}\n".encode())
        except OSError as error:
            raise SavedStateError(f"{path}: the state cannot be written: {error.strerror}") from error
        except (TypeError, ValueError) as error:
            raise SavedStateError(f"{path}: the state cannot be written, as JSON cannot hold it: {error}") from error

    @classmethod
    def read(cls, path: StatePath) -> SavedState:
        """Read a file.

        Raises:
            SavedStateError: it cannot be read, is damaged, or of another version.
        """
        try:
            document = json.loads(Path(path).read_bytes())
        except OSError as error:
            raise SavedStateError(f"{path}: the state cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise _damaged(path, f"no JSON: {error}") from error
        if not isinstance(document, dict) or document.pop("format", None) != _FORMAT:
            raise SavedStateError(f"{path}: is no state of an emulator; name another file")
        version = document.pop("version", None)
        if version != _VERSION:
            raise SavedStateError(
                f"{path}: the state is of version {version!r}, and this emulator reads version {_VERSION}; "
                "name another file, or remove it"
            )
        with damage_reported(path):
            return evolve(_structured(document), path=path)


@contextmanager
def damage_reported(path: StatePath) -> Iterator[None]:
    """Raise SavedStateError for a file whose contents are impossible."""
    try:
        yield
    except (BaseValidationError, JoseError, LookupError, TypeError, ValueError) as error:
        reason = transform_error(error, path="$")[0] if isinstance(error, BaseValidationError) else str(error)
        raise _damaged(path, reason) from error


def _damaged(path: StatePath, reason: str) -> SavedStateError:
    return SavedStateError(f"{path}: the state is damaged ({reason}); name another file, or remove it")


def _pairs(by_app: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    return ((uri, app_id) for app_id, uris in by_app.items() for uri in uris)


def _structured(document: dict[str, Any]) -> SavedState:
    found = _converter().structure(document, SavedState)
    if not {found.default_app, *(grant.app_id for grant in found.grants)} <= {app.app_id for app in found.apps}:
        raise ValueError("an application is missing")
    return found


def _converter() -> Converter:
    converter = make_converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _exact)
    grants: dict[str, Grant] = {}
    read_grant = make_dict_structure_fn(Grant, converter)

    def grant_of(value: Any, _: object) -> Grant:
        """Read a grant; where a token names it, return the one that was read before."""
        if isinstance(value, str):
            return grants[value]
        grant: Grant = read_grant(value, Grant)
        return grants.setdefault(grant.id, grant)

    converter.register_structure_hook(Grant, grant_of)
    apart = override(omit=True)
    converter.register_unstructure_hook(SavedState, make_dict_unstructure_fn(SavedState, converter, path=apart))
    converter.register_structure_hook(SavedState, make_dict_structure_fn(SavedState, converter, path=apart))
    by_id = override(unstruct_hook=lambda grant: grant.id)
    for token in (AccessToken, RefreshToken):
        converter.register_unstructure_hook(token, make_dict_unstructure_fn(token, converter, grant=by_id))
    return converter


def _exact(value: object, kind: type[object]) -> object:
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (kind is not bool and isinstance(value, bool)):
        raise TypeError(f"must be of type {kind.__name__}, not {type(value).__name__}")
    return value
