"""Every way in which what the vendor's SDK sends differs from what ours sends. Nothing else may differ."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from tests.contract.document import CONVENIENCE, DTOS, OPERATIONS
from tests.contract.parity import (
    APP_ID,
    APP_SECRET,
    FORM,
    STANDING_HEADERS,
    TOKEN,
    Context,
    Difference,
    Sent,
    basic,
    raw_basic,
    with_header,
)
from tests.contract.user_tokens import TAKEN

_CALLED = {convenience["name"]: convenience["calls"] for convenience in CONVENIENCE}
_PYTHON = frozenset(operation["name"] for operation in OPERATIONS if "python" in operation["in"])
_API = _PYTHON - {"sub_event"} | _CALLED.keys()
_BODIES = {operation["name"]: operation["request_dto"] for operation in OPERATIONS}

_FORMS = frozenset(
    {"get_access_token_by_code", "get_new_access_token_by_refresh_token", "introspect_token", "revoke_token"}
)
_BARE_TOKENS = frozenset({"sign_in_by_credentials", "sign_in_by_mobile", "exchange_token_set_with_qr_code_ticket"})
_HELPERS = frozenset(name for name, called in _CALLED.items() if called == "sign_in_by_credentials")
_EMPTY_BODIES = frozenset(
    {"list_credentials_by_page", "check_valid_credentials_by_cred_ids", "remove_all_credentials", "remove_credential"}
)


def _bearer(theirs: Sent, _: Context) -> Sent:
    if theirs.headers.get("authorization") != TOKEN:
        return theirs
    return with_header(theirs, "authorization", f"Bearer {TOKEN}")


def _no_token(theirs: Sent, _: Context) -> Sent:
    return with_header(theirs, "authorization", None) if theirs.headers.get("authorization") == TOKEN else theirs


def _query_booleans(theirs: Sent, context: Context) -> Sent:
    given = {str(value) for value in context.call.given.values() if isinstance(value, bool)}
    query = [(name, value.lower() if value in given else value) for name, value in theirs.query]
    return evolve(theirs, query=query)


def _nested_nulls(theirs: Sent, context: Context) -> Sent:
    dto = _BODIES[_CALLED.get(context.method, context.method)]
    return evolve(theirs, body=without_nulls(theirs.body, f"ref:{dto}"))


def without_nulls(value: Any, kind: str) -> Any:
    """Without members that are null, of documented objects; what an application puts into a free field stays."""
    if inner := re.fullmatch(r"array<(.*)>", kind):
        return [without_nulls(item, inner[1]) for item in value]
    if not kind.startswith("ref:") or not isinstance(value, Mapping):
        return value
    kinds = {field["wire"]: field["type"] for field in DTOS[kind.removeprefix("ref:")]}
    return {name: without_nulls(item, kinds.get(name, "any")) for name, item in value.items() if item is not None}


def _own_credentials(theirs: Sent, context: Context) -> Sent:
    if context.case.auth != "client_secret_post" or "client_id" in theirs.body:
        return theirs
    return evolve(theirs, body={"client_id": APP_ID, "client_secret": APP_SECRET, **theirs.body})


def _basic_header(theirs: Sent, context: Context) -> Sent:
    given = "authorization" in theirs.headers or "client_id" in theirs.body
    if context.case.auth != "client_secret_basic" or given:
        return theirs
    return with_header(theirs, "authorization", basic(APP_ID, APP_SECRET))


def _quoted_basic(theirs: Sent, _: Context) -> Sent:
    if theirs.headers.get("authorization") != raw_basic(APP_ID, APP_SECRET):
        return theirs
    return with_header(theirs, "authorization", basic(APP_ID, APP_SECRET))


def _common_headers(theirs: Sent, context: Context) -> Sent:
    return evolve(theirs, headers={**STANDING_HEADERS[context.case.token_of], **theirs.headers})


def _body_given(theirs: Sent, context: Context) -> Sent:
    return evolve(theirs, body=context.call.own["body"]) if theirs.body == {} else theirs


def _path_filled(theirs: Sent, context: Context) -> Sent:
    if theirs.path[-1] != "{credentialID}":
        return theirs
    return evolve(theirs, path=[*theirs.path[:-1], context.call.own["credential_id"]])


def _mfa_token(theirs: Sent, context: Context) -> Sent:
    if theirs.body is not None:
        return theirs
    form = with_header(theirs, "content-type", FORM)
    return evolve(form, body=[("token", context.call.given["token"])])


def _text_once(theirs: Sent, context: Context) -> Sent:
    data = context.call.given["data"]
    if not isinstance(data, str) or theirs.body["eventData"] != json.dumps(data):
        return theirs
    return evolve(theirs, body={**theirs.body, "eventData": data})


# In the order in which they are corrected.
DIFFERENCES = (
    Difference(
        "no-bearer",
        "RFC 6750 has a token's scheme in front of it, and gateways insist on that; GenAuth reads either",
        _API & TAKEN,
        _bearer,
    ),
    Difference(
        "shared-mutable-token",
        "their client sends the token that it holds with whatever it calls; ours only where a user is needed",
        _API - TAKEN,
        _no_token,
    ),
    Difference(
        "query-bool-python-style",
        "True and False are no booleans outside Python",
        frozenset({"get_profile", "get_login_history", "list_public_accounts_for_switch_logged_in"}),
        _query_booleans,
    ),
    Difference(
        "nested-null",
        "None means left out at every depth, not only at the first",
        frozenset(
            {
                "auth_by_code_identity",
                "enroll_factor",
                "gene_fastpass_qrcode_info",
                "pre_check_code",
                "send_enroll_factor_request",
                "sign_in_by_credentials",
                "sign_in_by_mobile",
                "sign_in_by_push",
                "sign_up",
                "switch_login_by_user",
                "verify_authentication",
                "verify_delete_account_request",
                "verify_register",
                "verify_reset_password_request",
                "verify_update_email_request",
                "verify_update_phone_request",
                *_CALLED,
            }
        ),
        _nested_nulls,
    ),
    Difference(
        None,
        "an application that is to prove itself does so without being asked in each call",
        _BARE_TOKENS,
        _own_credentials,
    ),
    Difference(
        "basic-never-sent",
        "client_secret_basic is a header, at the endpoints of the API that issue tokens too",
        _BARE_TOKENS | _HELPERS,
        _basic_header,
    ),
    Difference(
        "basic-credentials-not-form-encoded",
        "RFC 6749 section 2.3.1 encodes id and secret before they are joined, or a colon would end the id",
        _FORMS,
        _quoted_basic,
    ),
    Difference(
        None,
        "language, application and the user's address are told in every request, not in the API's alone",
        _FORMS | {"get_access_token_by_client_credentials", "get_user_info_by_access_token"},
        _common_headers,
    ),
    Difference("empty-json-body", "there was no way to say anything", _EMPTY_BODIES, _body_given),
    Difference(
        "placeholder-in-path",
        "the path has a place for the credential's id, which has to be put there",
        frozenset({"remove_credential"}),
        _path_filled,
    ),
    Difference(
        "mfa-token-not-sent",
        "the token is what the call is about",
        frozenset({"verify_mfa_token"}),
        _mfa_token,
    ),
    Difference(
        "put-event-double-encoding",
        "a text is data already; what is none becomes JSON, once",
        frozenset({"put_event"}),
        _text_once,
    ),
)
