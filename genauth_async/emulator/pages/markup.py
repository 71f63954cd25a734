"""HTML elements whose texts and attributes are escaped by construction."""

from __future__ import annotations

import re
from html import escape
from typing import TypeAlias

_VOID = frozenset({"input", "meta", "path"})
_CODE = re.compile("`([^`]+)`")


class Html(str):
    """Text that is HTML already; any other text is escaped where it becomes part of an element."""

    __slots__ = ()


Child: TypeAlias = str | None


def element(tag: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """Create an element.

    Args:
        tag: its name.
        children: texts and elements; None is left out.
        attributes: by name, with underscores for hyphens, and one at the end where Python reserves the name. None and
            False are left out; True has no value.
    """
    written = [tag]
    for name, value in attributes.items():
        if value is True:
            written.append(_attribute_name(name))
        elif value is not None and value is not False:
            written.append(f'{_attribute_name(name)}="{escape(value)}"')
    start = Html(f"<{' '.join(written)}>")
    return start if tag in _VOID else join(start, *children, Html(f"</{tag}>"))


def join(*children: Child) -> Html:
    """Concatenate texts and elements."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in children if each is not None))


def name(text: str) -> Html:
    """Create the element of a name that a user chose, whose direction of writing must not turn its surroundings."""
    return element("bdi", text)


def with_code(text: str) -> Html:
    """Convert a sentence, in which backticks enclose code, to HTML."""
    parts = _CODE.split(text)
    return join(*(element("code", part) if number % 2 else part for number, part in enumerate(parts)))


def _attribute_name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
