"""Permissions of the signed-in user on data resources, and the roles that users can apply for.

All refer to the permission space of the application to which the access token was issued. A string or an array is
named by its code, "api", and a node of a tree by its path, "files/2024/may"; a leading slash makes no difference.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import query_number, query_text
from ..http.replies import success
from ..http.request_context import read_user_call, require_user
from ..http.routes import Routes
from ..state.access.access import Access
from ..state.access.resources import DataResource, DataResourceType, TreeNode, split_path
from ..state.errors import ApiError, no_such_app
from ..state.state import State
from ..state.users import User


async def _check(resource_type: DataResourceType, state: State, request: Request) -> Response:
    user, token, body = await read_user_call(state, request)
    paths, action = body.texts("resources"), body.text("action")
    namespace = token.grant.app_id
    results = [
        {
            "namespaceCode": namespace,
            "action": action,
            "resource": path,
            "enabled": action in _actions_at(state.access, user, namespace, path, resource_type),
        }
        for path in paths
    ]
    return success({"checkResultList": results})


check_string_resource = partial(_check, "STRING")
check_array_resource = partial(_check, "ARRAY")
check_tree_resource = partial(_check, "TREE")


async def auth_resource_list(state: State, request: Request) -> Response:
    """List the data resources on which the user has permissions."""
    user, token = require_user(state, request)
    namespace = token.grant.app_id
    shown = [_authorized(state.access, user, resource) for resource in state.access.data_resources(namespace)]
    resources = [each for each in shown if each is not None]
    spaces = [{"userId": user.id, "namespaceCode": namespace, "resourceList": resources}] if resources else []
    return success({"userPermissionList": spaces})


async def auth_resource_permission_list(state: State, request: Request) -> Response:
    """List the permitted actions on each of these resources."""
    user, token, body = await read_user_call(state, request)
    paths = body.texts("resources")
    namespace = token.grant.app_id
    permissions = [
        {
            "namespaceCode": namespace,
            "actions": _actions_at(state.access, user, namespace, path, None),
            "resource": path,
        }
        for path in paths
    ]
    return success({"permissionList": permissions})


async def auth_resource_struct(state: State, request: Request) -> Response:
    """Return the permitted part of one resource, a tree as a tree."""
    user, token, body = await read_user_call(state, request)
    code = body.text("resource").removeprefix("/")
    resource = state.access.data_resource(token.grant.app_id, code)
    if resource is None:
        raise ApiError(404, "the application has no such data resource")
    actions = [] if resource.type == "TREE" else state.access.actions_of(user, resource)
    shown: dict[str, object]
    if resource.type == "STRING":
        shown = {"strResourceAuthAction": {"actions": actions} | ({"value": resource.value} if actions else {})}
    elif resource.type == "ARRAY":
        shown = {"arrResourceAuthAction": {"actions": actions, "values": list(resource.values) if actions else []}}
    else:
        nodes = _visible_nodes(state.access, user, resource, resource.roots)
        shown = {"treeResourceAuthAction": {"nodeAuthActionList": nodes}}
    head = {"namespaceCode": resource.namespace, "resourceCode": resource.code, "resourceType": resource.type}
    return success(head | shown)


async def applicable_applications(state: State, request: Request) -> Response:
    """List the applications in which users can apply for roles."""
    require_user(state, request)
    wanted = request.query_params.get("appName", "").lower()
    listed = [
        {"appId": app.app_id, "appName": app.display_name, "logo": "", "appType": "web"}
        for app in list(state.apps.values())
        if state.access.offered_in(app.app_id) is not None and wanted in app.display_name.lower()
    ]
    return success({"list": listed})


async def applicable_roles(state: State, request: Request) -> Response:
    """List the roles for which users of an application can apply, by pages."""
    require_user(state, request)
    app_id = query_text(request, "appId")
    if app_id not in state.apps:
        raise no_such_app()
    page, limit = query_number(request, "page", 1), query_number(request, "limit", 10)
    keyword = request.query_params.get("keyword", "").lower()
    roles = state.access.offered_in(app_id) or []
    found = [role for role in roles if keyword in role.code.lower() or keyword in role.name.lower()]
    listed = [
        {"roleId": role.id, "code": role.code, "name": role.name, "description": role.description}
        for role in found[(page - 1) * limit : page * limit]
    ]
    return success({"totalCount": len(found), "list": listed})


def _actions_at(
    access: Access, user: User, namespace: str, path: str, resource_type: DataResourceType | None
) -> list[str]:
    """Return the permitted actions; none for an unknown resource, so that the answer does not reveal it."""
    code, *below = split_path(path)
    resource = access.data_resource(namespace, code)
    if resource is None or resource_type not in {None, resource.type}:
        return []
    return access.actions_of(user, resource, tuple(below))


def _authorized(access: Access, user: User, resource: DataResource) -> dict[str, object] | None:
    head: dict[str, object] = {"resourceCode": resource.code, "resourceType": resource.type}
    if resource.type == "TREE":
        nodes = [(node, access.actions_of(user, resource, node.path)) for node in resource.nodes]
        listed = [_flat_node(node, actions) for node, actions in nodes if actions]
        return head | {"treeAuthorize": {"authList": listed}} if listed else None
    actions = access.actions_of(user, resource)
    if not actions:
        return None
    if resource.type == "STRING":
        return head | {"strAuthorize": {"value": resource.value, "actions": actions}}
    return head | {"arrAuthorize": {"values": list(resource.values), "actions": actions}}


def _flat_node(node: TreeNode, actions: list[str]) -> dict[str, object]:
    shown: dict[str, object] = {"nodePath": "/" + "/".join(node.path), "nodeName": node.name, "nodeActions": actions}
    return shown if node.value is None else shown | {"nodeValue": node.value}


def _visible_nodes(
    access: Access, user: User, resource: DataResource, nodes: tuple[TreeNode, ...]
) -> list[dict[str, object]]:
    """Return the nodes with permitted actions, and their ancestors."""
    visible: list[dict[str, object]] = []
    for node in nodes:
        actions = access.actions_of(user, resource, node.path)
        children = _visible_nodes(access, user, resource, node.children)
        if not actions and not children:
            continue
        shown: dict[str, object] = {"code": node.code, "name": node.name, "actions": actions}
        if node.value is not None and actions:
            shown["value"] = node.value
        if children:
            shown["children"] = children
        visible.append(shown)
    return visible


ROUTES: Routes = {
    "/api/v3/applications-permission-applicable": {"GET": applicable_applications},
    "/api/v3/roles-permission-applicable": {"GET": applicable_roles},
    "/api/v3/check-permission-string-resource": {"POST": check_string_resource},
    "/api/v3/check-permission-array-resource": {"POST": check_array_resource},
    "/api/v3/check-permission-tree-resource": {"POST": check_tree_resource},
    "/api/v3/get-user-auth-resource-list": {"GET": auth_resource_list},
    "/api/v3/get-user-auth-resource-permission-list": {"POST": auth_resource_permission_list},
    "/api/v3/get-user-auth-resource-struct": {"POST": auth_resource_struct},
}
