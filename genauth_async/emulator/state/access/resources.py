"""The resources of permissions: data resources (a string, an array or a tree) and common resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen, validators

DataResourceType = Literal["STRING", "ARRAY", "TREE"]
CommonResourceType = Literal["DATA", "API", "MENU", "BUTTON", "UI"]
Effect = Literal["ALLOW", "DENY"]

COMMON_RESOURCE_TYPES: tuple[CommonResourceType, ...] = get_args(CommonResourceType)

Struct: TypeAlias = str | Sequence[str] | Sequence[Mapping[str, object]] | Mapping[str, object]
"""The content of a data resource: a string, strings, or a tree.

A tree is written as the API writes it, [{"code": ..., "name": ..., "value": ..., "children": [...]}], or in short as
nested mappings by code, {"product": {"design": {}}}.
"""


@frozen(kw_only=True)
class TreeNode:
    """A node of a tree resource. Its path consists of the codes from the top down to its own."""

    path: tuple[str, ...]
    name: str
    value: str | None
    children: tuple[TreeNode, ...]

    @property
    def code(self) -> str:
        """The code, unique among siblings."""
        return self.path[-1]

    def walk(self) -> Iterator[TreeNode]:
        """Iterate over this node and its descendants."""
        yield self
        for child in self.children:
            yield from child.walk()


@frozen(eq=False, kw_only=True)
class DataResource:
    """A data resource of an application's permission space, whose code is the application's id."""

    code: str
    namespace: str
    type: DataResourceType
    actions: tuple[str, ...]
    value: str = ""
    values: tuple[str, ...] = ()
    roots: tuple[TreeNode, ...] = ()

    @property
    def nodes(self) -> list[TreeNode]:
        """All nodes of a tree."""
        return [node for root in self.roots for node in root.walk()]

    def has(self, path: tuple[str, ...]) -> bool:
        """Return whether permissions can be given for this path: a node of a tree, or () for other types."""
        if self.type == "TREE":
            return any(node.path == path for node in self.nodes)
        return path == ()


@frozen(eq=False, kw_only=True)
class CommonResource:
    """A resource of the older kind: data, an API, a menu, a button or a page."""

    code: str
    namespace: str
    type: CommonResourceType = field(validator=validators.in_(COMMON_RESOURCE_TYPES))
    actions: tuple[str, ...]
    description: str
    api_identifier: str

    def has(self, path: tuple[str, ...]) -> bool:
        """Return whether permissions can be given for this path; it has no parts."""
        return path == ()


Resource: TypeAlias = DataResource | CommonResource


def new_data_resource(code: str, struct: Struct, *, namespace: str, actions: tuple[str, ...]) -> DataResource:
    """Create a data resource of the type that its struct has."""
    check_code(code)
    if isinstance(struct, str):
        return DataResource(code=code, namespace=namespace, actions=actions, type="STRING", value=struct)
    if isinstance(struct, Mapping) or (struct and not any(isinstance(item, str) for item in struct)):
        roots = _nodes(struct, ())
        return DataResource(code=code, namespace=namespace, actions=actions, type="TREE", roots=roots)
    values = tuple(item for item in struct if isinstance(item, str))
    if not values or len(values) != len(struct):
        raise ValueError("a data resource must be a string, a list of strings or a tree, and not empty")
    return DataResource(code=code, namespace=namespace, actions=actions, type="ARRAY", values=values)


def check_code(code: str) -> None:
    """Check a code, which is a part of resource paths."""
    if not code or "/" in code:
        raise ValueError(f"a code must be a text without a slash, and not empty, not {code!r}")


def split_path(path: str) -> tuple[str, ...]:
    """Split a path into its codes; the leading slash is optional."""
    return tuple(path.removeprefix("/").split("/"))


def _nodes(struct: object, above: tuple[str, ...]) -> tuple[TreeNode, ...]:
    if isinstance(struct, Mapping):
        nodes = tuple(_node(code, {"children": below}, above) for code, below in struct.items())
    elif isinstance(struct, Sequence) and not isinstance(struct, str):
        nodes = tuple(_node(_member(item, "code"), item, above) for item in struct)
    else:
        raise TypeError(f"a tree must consist of mappings, not of {struct!r}")
    codes = [node.code for node in nodes]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ValueError(f"there are two nodes {'/'.join((*above, twice[0]))}")
    return nodes


def _node(code: str, item: Mapping[str, object], above: tuple[str, ...]) -> TreeNode:
    check_code(code)
    path = (*above, code)
    value = item.get("value")
    return TreeNode(
        path=path,
        name=str(item.get("name") or code),
        value=None if value is None else str(value),
        children=_nodes(item.get("children") or (), path),
    )


def _member(item: object, name: str) -> str:
    if not isinstance(item, Mapping) or not isinstance(item.get(name), str):
        raise TypeError(f"a node of a tree must be a mapping with a {name}, not {item!r}")
    return str(item[name])
