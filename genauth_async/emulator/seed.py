"""Seed files: applications, users, roles, pass codes and settings of an emulator, in TOML."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from os import PathLike, fspath
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, evolve, field, fields, frozen

from .controls import EmulatorControls
from .state.access.subjects import Group, Role
from .state.apps import DEFAULT_AUTH_METHOD, AuthMethod
from .state.factors import FACTOR_TYPES, FactorType
from .state.settings import AccountRules, Settings
from .state.users import User

SeedSource: TypeAlias = str | PathLike[str] | Mapping[str, object]

_Emulator = TypeVar("_Emulator", bound=EmulatorControls)
_Table = TypeVar("_Table")
_WORDS: Final = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    list[str]: "a list of texts",
    list[dict[str, object]]: "a list of tables",
    dict[str, str]: "a table of texts",
    dict[str, object]: "a table",
}
_FLAGS: Final = (
    *("locked", "mfa_required", "password_reset_required", "password_expired"),
    *("email_verified", "phone_verified"),
)

_OPTIONS: Final = {"auth_method": "token_endpoint_auth_method"}


class SeedError(ValueError):
    """A seed is invalid; the message names the file, the table and the key."""


@frozen(kw_only=True)
class SeedApp:
    """A table of [[applications]]."""

    id: str | None = None
    secret: str | None = None
    name: str = ""
    token_endpoint_auth_method: AuthMethod = DEFAULT_AUTH_METHOD
    introspection_endpoint_auth_method: AuthMethod | None = None
    revocation_endpoint_auth_method: AuthMethod | None = None
    redirect_uris: list[str] = field(factory=list)
    logout_redirect_uris: list[str] = field(factory=list)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `add_app`, and of an emulator for its first application."""
        return {
            "app_id": self.id,
            "app_secret": self.secret,
            "token_endpoint_auth_method": self.token_endpoint_auth_method,
            "introspection_endpoint_auth_method": self.introspection_endpoint_auth_method,
            "revocation_endpoint_auth_method": self.revocation_endpoint_auth_method,
        }


@frozen(kw_only=True)
class _SeedUser:
    id: str | None = None
    username: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str = "+86"
    sam_account_name: str | None = None
    password: str | None = None
    name: str | None = None
    nickname: str | None = None
    profile: dict[str, str] = field(factory=dict)
    custom_data: dict[str, object] = field(factory=dict)
    identities: list[dict[str, object]] = field(factory=list)
    roles: list[str] = field(factory=list)
    groups: list[str] = field(factory=list)
    second_factors: list[str] = field(factory=list)
    totp_secret: str | None = None
    locked: bool = False
    mfa_required: bool = False
    password_reset_required: bool = False
    password_expired: bool = False
    email_verified: bool = True
    phone_verified: bool = True


@frozen(kw_only=True)
class _SeedRole:
    code: str
    name: str | None = None
    description: str = ""
    namespace: str = "default"


@frozen(kw_only=True)
class _SeedGroup:
    code: str
    name: str | None = None
    description: str = ""
    roles: list[str] = field(factory=list)


@frozen(kw_only=True)
class _SeedSettings(Settings):
    captcha_after_failures: int | None = None
    wrap_system: bool = True


_TABLES: Final = {
    "settings": _SeedSettings,
    "account_rules": AccountRules,
    "applications": SeedApp,
    "roles": _SeedRole,
    "groups": _SeedGroup,
    "users": _SeedUser,
}


@frozen(kw_only=True)
class Seed:
    """A seed whose keys and types are checked; `plant` checks the values.

    Attributes:
        name: of the file, for messages.
        settings: arguments of an emulator.
    """

    name: str = "the seed"
    settings: dict[str, Any] = field(factory=dict)
    applications: list[SeedApp] = field(factory=list)
    tables: Mapping[str, list[Mapping[str, Any]]] = field(factory=dict)
    passcodes: Mapping[str, str] = field(factory=dict)

    @classmethod
    def read(cls, source: SeedSource) -> Seed:
        """Read a TOML file, or a mapping of the same form.

        Raises:
            SeedError: it cannot be read, or has an unknown key or a value of another type.
        """
        name, document = _document(source)
        with _place(name):
            _refuse_unknown(document, [*_TABLES, "passcodes"])
            read = {kind: [*_read_tables(kind, document.get(kind), name)] for kind in _TABLES}
            codes = _read_passcodes(document.get("passcodes", {}))
        return cls(
            name=name,
            settings=dict(*read["settings"]),
            applications=[SeedApp(**table) for table in read["applications"]],
            tables=read,
            passcodes=codes,
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of an emulator: the settings, and the first application."""
        first = [{"app_name": app.name, **app.arguments} for app in self.applications[:1]]
        return {**self.settings, **dict(*first)}

    def with_options(self, settings: Mapping[str, Any], application: Mapping[str, Any]) -> Seed:
        """Replace settings, and keys of the first application, by options of the command line."""
        first, *others = self.applications or [SeedApp()]
        given = {_OPTIONS.get(name, name): value for name, value in application.items()}
        return evolve(self, settings={**self.settings, **settings}, applications=[evolve(first, **given), *others])

    def plant(self, emulator: _Emulator) -> _Emulator:
        """Give an emulator all but the settings and the first application, which it was created with.

        Raises:
            SeedError: a value is invalid, or two users have the same name.
        """
        for number, app in enumerate(self.applications, start=1):
            with _place(self.name, "applications", number, app.name or app.id or ""):
                _plant_app(emulator, app, is_first=number == 1)
        roles: dict[str, Role] = {}
        for place, table in self._each("roles"):
            with place:
                role = emulator.access.add_role(**table)
                roles[role.code if role.namespace == "default" else f"{role.namespace}/{role.code}"] = role
        groups: dict[str, Group] = {}
        for place, table in self._each("groups"):
            with place:
                rest = {key: value for key, value in table.items() if key != "roles"}
                groups[table["code"]] = group = emulator.access.add_group(**rest)
                _assign(emulator, group, table, roles)
        for place, table in self._each("users"):
            with place:
                _plant_user(emulator, table, roles, groups)
        for table in self.tables.get("account_rules", []):
            for key, value in table.items():
                setattr(emulator.account_rules, key, value)
        for address, code in self.passcodes.items():
            emulator.inbox.fix_code(address, code)
        return emulator

    def _each(self, kind: str) -> Iterator[tuple[AbstractContextManager[None], Mapping[str, Any]]]:
        for number, table in enumerate(self.tables.get(kind, []), start=1):
            yield _place(self.name, kind, number, _account(table)), table


def _plant_app(emulator: EmulatorControls, app: SeedApp, *, is_first: bool) -> None:
    app_id = emulator.app_id if is_first else emulator.add_app(name=app.name, **app.arguments).app_id
    with _key("redirect_uris"):
        for uri in app.redirect_uris:
            emulator.hosted_login.allow_redirect(uri, app_id=app_id)
    with _key("logout_redirect_uris"):
        for uri in app.logout_redirect_uris:
            emulator.hosted_login.allow_logout_redirect(uri, app_id=app_id)


def _assign(emulator: EmulatorControls, to: User | Group, table: Mapping[str, Any], roles: Mapping[str, Role]) -> None:
    for code in table.get("roles", []):
        emulator.access.assign(to, _named(roles, code, "roles", "role"))


def _plant_user(
    emulator: EmulatorControls, table: Mapping[str, Any], roles: Mapping[str, Role], groups: Mapping[str, Group]
) -> None:
    apart = {*_FLAGS, "id", "roles", "groups", "second_factors", "totp_secret"}
    user = emulator.add_user(
        user_id=table.get("id"), **{key: value for key, value in table.items() if key not in apart}
    )
    for flag in _FLAGS:
        if flag in table:
            setattr(user, flag, table[flag])
    _assign(emulator, user, table, roles)
    for code in table.get("groups", []):
        emulator.access.join(user, _named(groups, code, "groups", "group"))
    _enroll(emulator, user, table)


def _enroll(emulator: EmulatorControls, user: User, table: Mapping[str, Any]) -> None:
    kinds, secret = table.get("second_factors", []), table.get("totp_secret")
    types: dict[str, FactorType] = {kind: kind for kind in FACTOR_TYPES}
    for kind in kinds:
        factor_type = _named(types, kind, "second_factors", "second factor")
        with _key("second_factors"):
            emulator.factors.enroll(user, factor_type)
    if secret is not None:
        factor = emulator.factors.find(user, "OTP")
        if factor is None:
            raise ValueError("totp_secret is of use with second_factors = ['OTP'] only")
        if not re.fullmatch("[A-Za-z2-7]+=*", secret):
            raise ValueError("totp_secret must be in base32 (letters and the digits 2 to 7)")
        factor.secret = secret
        with _key("totp_secret"):
            factor.totp_at(0)


def _document(source: SeedSource) -> tuple[str, Mapping[str, object]]:
    if isinstance(source, Mapping):
        return "the seed", source
    name = fspath(source)
    try:
        return name, tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise SeedError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SeedError(f"{name}: must be a text in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise SeedError(f"{name}: is not TOML: {error}") from error


def _read_tables(kind: str, given: object, name: str) -> Iterator[Mapping[str, Any]]:
    if given is None:
        return
    if kind in {"settings", "account_rules"}:
        if not isinstance(given, Mapping):
            raise TypeError(f"{kind} must be a table, [{kind}], not {_kind_of(given)}")
        with _place(name, kind):
            yield _read(_TABLES[kind], given)
        return
    if not isinstance(given, list):
        raise TypeError(f"{kind} must be tables, [[{kind}]] each, not {_kind_of(given)}")
    for number, table in enumerate(given, start=1):
        with _place(name, kind, number, _account(table) if isinstance(table, Mapping) else ""):
            if not isinstance(table, Mapping):
                raise TypeError(f"must be a table, not {_kind_of(table)}")
            yield _read(_TABLES[kind], table)


def _read(kind: type[_Table], table: Mapping[str, object]) -> Mapping[str, Any]:
    """Check the keys and types of a table; then have its class check the values."""
    types = get_type_hints(kind)
    _refuse_unknown(table, types)
    for key, value in table.items():
        _check_type(key, value, types[key])
    for attribute in fields(kind):  # type: ignore[arg-type]  # all kinds are attrs classes
        if attribute.default is NOTHING and attribute.name not in table:
            raise ValueError(f"{attribute.name} is missing")
    kind(**table)
    return table


def _check_type(key: str, value: object, wanted: Any) -> None:
    if get_origin(wanted) in {Union, UnionType}:
        wanted = get_args(wanted)[0]
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            raise ValueError(f"{key} must be {' or '.join(map(repr, get_args(wanted)))}, not {value!r}")
    elif not _is_of(wanted, value):
        raise ValueError(f"{key} must be {_WORDS[wanted]}, not {_kind_of(value)}")
    elif isinstance(value, dict | list):
        _refuse_unfit_for_json(key, value)


def _is_of(wanted: Any, value: object) -> bool:
    if get_origin(wanted) is list:
        return isinstance(value, list) and all(_is_of(get_args(wanted)[0], each) for each in value)
    if get_origin(wanted) is dict:
        return isinstance(value, Mapping) and all(_is_of(get_args(wanted)[1], each) for each in value.values())
    return wanted is object or (isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)))


def _refuse_unfit_for_json(key: str, value: object) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(f"{key} has a value that JSON has not, such as a date; put it in quotes") from None


def _read_passcodes(given: object) -> Mapping[str, str]:
    if not isinstance(given, Mapping):
        raise TypeError(f"passcodes must be a table, [passcodes], not {_kind_of(given)}")
    for address, code in given.items():
        if not isinstance(code, str) or not code:
            raise ValueError(f"[passcodes]: {address!r} must be a text in quotes, not {_kind_of(code)}")
    return given


def _refuse_unknown(table: Mapping[str, object], known: Iterable[str]) -> None:
    known = [*known]
    for key in table:
        if key not in known:
            raise ValueError(f"unknown key {key!r}; {_nearest(key, known)}")


def _named(things: Mapping[str, _Table], code: str, key: str, kind: str) -> _Table:
    if code not in things:
        raise ValueError(f"{key}: there is no {kind} {code!r}; {_nearest(code, things)}")
    return things[code]


def _nearest(word: str, known: Iterable[str]) -> str:
    known = [*known]
    if not known:
        return "there are none"
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5) or [each for each in known if word in each]
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def _account(table: Mapping[str, object]) -> str:
    names = ("code", "username", "email", "phone", "sam_account_name", "id", "name")
    return next((str(table[name]) for name in names if table.get(name)), "")


def _kind_of(value: object) -> str:
    """Name the kind of a value; the value itself may be a password."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "several tables"
    words = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return ("an empty text" if value == "" else words.get(type(value))) or f"a {type(value).__name__}"


@contextmanager
def _place(name: str, kind: str = "", number: int = 0, account: str = "") -> Iterator[None]:
    """Put the file and the table before the message of an error."""
    place = f"[[{kind}]] {number}" + (f" ({account})" if account else "") if number else f"[{kind}]"
    try:
        yield
    except SeedError:
        raise
    except (ValueError, TypeError) as error:
        raise SeedError(f"{name}: {f'{place}: ' if kind else ''}{error}") from error


@contextmanager
def _key(key: str) -> Iterator[None]:
    """Put the key before the message of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
