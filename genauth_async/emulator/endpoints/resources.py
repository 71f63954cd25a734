"""The get-my-... endpoints: applications, tenants, roles, groups, common resources and login history."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import query_flag, query_number, query_page
from ..http.replies import success
from ..http.request_context import require_user
from ..http.routes import Routes
from ..state.access.resources import COMMON_RESOURCE_TYPES
from ..state.access.subjects import Group, Role
from ..state.apps import App
from ..state.clock import iso_time
from ..state.errors import ApiError
from ..state.login_history import SignInRecord
from ..state.origin import parse_user_agent
from ..state.state import State


async def my_logged_in_apps(state: State, request: Request) -> Response:
    """List the applications to which the user ever signed in; active where a sign-in is not revoked."""
    user, _ = require_user(state, request)
    active = state.grants.apps_of(user.id)
    return success([_app(state, state.apps[app_id], is_active) for app_id, is_active in active.items()])


async def my_accessible_apps(state: State, request: Request) -> Response:
    """List all applications: every user can sign in to each."""
    user, _ = require_user(state, request)
    active = state.grants.apps_of(user.id)
    return success([_app(state, app, active.get(app.app_id, False)) for app in list(state.apps.values())])


async def my_tenant_list(state: State, request: Request) -> Response:
    """List the tenants of the user."""
    user, _ = require_user(state, request)
    tenants = state.access.tenants_of(user)
    return success(
        [{"tenantId": tenant.id, "tenantName": tenant.name, "joinAt": iso_time(since)} for tenant, since in tenants]
    )


async def my_role_list(state: State, request: Request) -> Response:
    """List the user's roles, of one namespace or of all."""
    user, _ = require_user(state, request)
    namespace = request.query_params.get("namespace")
    roles = state.access.roles_of(user)
    return success([_role(state, role) for role in roles if namespace in {None, "", role.namespace}])


async def my_group_list(state: State, request: Request) -> Response:
    """List the groups of the user."""
    user, _ = require_user(state, request)
    return success([_group(state, group) for group in state.access.groups_of(user)])


async def my_authorized_resources(state: State, request: Request) -> Response:
    """List the common resources on which the user has a permission or a denial."""
    user, _ = require_user(state, request)
    namespace = request.query_params.get("namespace")
    wanted = request.query_params.get("resourceType")
    if wanted and wanted not in COMMON_RESOURCE_TYPES:
        raise ApiError(400, f"resourceType must be one of {', '.join(COMMON_RESOURCE_TYPES)}")
    listed = [
        {
            "resourceCode": resource.code,
            "description": resource.description,
            "resourceType": resource.type,
            "apiIdentifier": resource.api_identifier,
            "actions": actions,
            "effect": effect,
        }
        for resource in state.access.common_resources()
        if namespace in {None, "", resource.namespace} and wanted in {None, "", resource.type}
        for effect in ("ALLOW", "DENY")
        if (actions := state.access.actions_with(user, resource, effect))
    ]
    return success({"totalCount": len(listed), "list": listed})


async def get_my_login_history(state: State, request: Request) -> Response:
    """List the user's sign-ins and failed attempts, the latest first."""
    user, _ = require_user(state, request)
    wanted = [record for record in state.history.of(user) if _matches(record, request)]
    start, end = query_page(request)
    shown = await run_in_threadpool(lambda: [_record(state, record) for record in wanted[start:end]])
    return success({"totalCount": len(wanted), "list": shown})


def _matches(record: SignInRecord, request: Request) -> bool:
    query = request.query_params
    at = int(record.at * 1000)
    return (
        query.get("appId", "") in {"", record.app_id}
        and query.get("clientIp", "") in {"", record.client_ip}
        and (not query.get("success") or query_flag(request, "success") == (record.error_message is None))
        and query_number(request, "start", at, least=0) <= at <= query_number(request, "end", at, least=0)
    )


def _record(state: State, record: SignInRecord) -> dict[str, object]:
    """Describe a sign-in as LoginHistoryDto, without `geoip`: the loopback interface has no place."""
    app, agent = state.apps[record.app_id], parse_user_agent(record.user_agent)
    dto: dict[str, object] = {
        "userId": record.user_id,
        "appId": app.app_id,
        "appName": app.display_name,
        "appLoginUrl": f"{state.url}/login",
        "appLogo": "",
        "loginAt": iso_time(record.at),
        "clientIp": record.client_ip,
        "success": record.error_message is None,
        "userAgent": record.user_agent,
        "parsedUserAgent": {
            "device": "Mobile" if agent.is_mobile else "Desktop",
            "name": agent.name,
            "os": agent.system,
        },
        "loginMethod": record.login_method,
    }
    if record.error_message is not None:
        dto["errorMessage"] = record.error_message
    return dto


def _app(state: State, app: App, active: bool) -> dict[str, object]:
    return {
        "appId": app.app_id,
        "appName": app.display_name,
        "appLoginUrl": f"{state.url}/login",
        "appLogo": "",
        "active": active,
    }


def _role(state: State, role: Role) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": role.id,
        "code": role.code,
        "name": role.name,
        "description": role.description,
        "namespace": role.namespace,
        "namespaceName": role.namespace,
        "status": "ENABLE" if role.is_active(state.clock.now()) else "DISABLE",
        "enablePermissionApply": state.access.is_offered(role),
    }
    return shown if role.disabled_at is None else shown | {"disableTime": int(role.disabled_at * 1000)}


def _group(state: State, group: Group) -> dict[str, object]:
    # The scope that the user granted opens their own profile, not that of the others.
    members = [
        member.to_dto("username", with_custom_data=False, with_identities=False)
        for member in state.access.members_of(group)
        if state.users.find(member.id) is not None
    ]
    return {
        "id": group.id,
        "code": group.code,
        "name": group.name,
        "description": group.description,
        "type": "STATIC",
        "metadataSource": [],
        "members": members,
    }


ROUTES: Routes = {
    "/api/v3/get-my-login-history": {"GET": get_my_login_history},
    "/api/v3/get-my-logged-in-apps": {"GET": my_logged_in_apps},
    "/api/v3/get-my-accessible-apps": {"GET": my_accessible_apps},
    "/api/v3/get-my-tenant-list": {"GET": my_tenant_list},
    "/api/v3/get-my-role-list": {"GET": my_role_list},
    "/api/v3/get-my-group-list": {"GET": my_group_list},
    "/api/v3/get-my-authorized-resources": {"GET": my_authorized_resources},
}
