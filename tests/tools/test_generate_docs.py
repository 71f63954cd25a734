"""The generator of docs/reference, on the real package, and on copies of it with something wrong in them."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import genauth_async
from genauth_async import emulator, models
from genauth_async.models._base import Dto
from genauth_async.models._fields import required_attributes, secret_attributes, wire_names
from tests.every import check_every
from tools.generate_docs import Reference

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
PAGES = sorted(REFERENCE.glob("*.md"))
LINKING = [*PAGES, ROOT / "docs/migration.md"]
ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \| .*? \| ((?:required)?(?:, )?(?:secret)?) \|", re.MULTILINE)


def generate(root: Path, *arguments: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "tools.generate_docs", "--root", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    return done.returncode, done.stderr.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The package, its pages and examples, where they can be changed."""
    for folder in ("genauth_async", "docs/reference"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert generate(tmp_path) == (0, [])
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_real_pages_are_up_to_date() -> None:
    assert generate(ROOT, "--check") == (0, [])


def test_the_emulators_page_has_all_that_its_package_exports() -> None:
    page = Reference(ROOT).files()["emulator.md"]
    sections = re.findall(r"^## (\w+)$", page, re.MULTILINE)
    assert sorted(sections) == sorted([*emulator.__all__, "EmulatorControls"])
    arguments = inspect.signature(emulator.Emulator).parameters
    explained = page.partition("## Emulator\n")[2].partition("\n### ")[0]
    assert re.findall(r"^\* `(\w+)`", explained, re.MULTILINE)[: len(arguments)] == [*arguments]
    assert "## sign_in_at_page" in page
    for name in ("mint", "add_user", "rotate_keys"):
        assert f"### EmulatorControls.{name}\n" in page
    assert "use_refresh_token" not in page


@pytest.mark.parametrize(
    ("path", "old", "new", "page"),
    [
        ("genauth_async/api/qrcode.py", "names the QR code.", "names the code.", "qrcode.md"),
        ("genauth_async/api/system.py", "def get_country_list", "def list_countries", "system.md"),
        ("genauth_async/models/push.py", "push_code_id: str", "push_id: str", "push.md"),
        ("docs/reference/examples/tokens_example.py", "print(info.sub)", "print(info)", "tokens.md"),
        ("docs/reference/mfa.md", "## verify_mfa_token", "## verify_token", "mfa.md"),
    ],
)
@pytest.mark.slow
def test_what_changes_makes_its_page_stale(project: Path, path: str, old: str, new: str, page: str) -> None:
    replace(project / path, old, new)
    status, problems = generate(project, "--check")
    assert status == 1
    assert f"docs/reference/{page}: stale" in problems
    assert generate(project) == (0, [])
    assert generate(project, "--check") == (0, [])


@pytest.mark.slow
def test_a_missing_page_is_found(project: Path) -> None:
    (project / "docs/reference/mfa.md").unlink()
    assert generate(project, "--check") == (1, ["docs/reference/mfa.md: missing"])


@pytest.mark.parametrize("arguments", [("--check",), ()])
@pytest.mark.slow
def test_a_stray_page_is_found(project: Path, arguments: tuple[str, ...]) -> None:
    (project / "docs/reference/notes.md").touch()
    assert generate(project, *arguments) == (1, ["docs/reference/notes.md: stray"])


REFUSED = {
    "a_method_without_a_docstring": (
        "genauth_async/stores/memory.py",
        '"""Return the record, or None."""',
        "",
        r"genauth_async/stores/memory\.py:\d+: MemoryStore\.get has no docstring",
    ),
    "a_line_without_a_name": (
        "genauth_async/api/system.py",
        "GenAuthAPIError: the server refused the request.",
        "whatever happens",
        r"genauth_async/api/system\.py:\d+: Common errors has a line that is no `name: text`",
    ),
}


@pytest.mark.parametrize(("path", "old", "new", "message"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.slow
def test_what_it_does_not_know_it_refuses(project: Path, path: str, old: str, new: str, message: str) -> None:
    replace(project / path, old, new)
    status, [problem] = generate(project)
    assert status == 1
    assert re.fullmatch(message, problem)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("docs/reference/examples/mfa_example.py", None, "docs/reference/examples/mfa_example.py: missing"),
        (
            "docs/reference/examples/qr_example.py",
            "docs/reference/examples/odd_example.py",
            "docs/reference/examples/odd_example.py: is of no page",
        ),
        (
            "docs/reference/examples/qr_example.py",
            "docs/reference/examples/qr.py",
            "docs/reference/examples/qr.py: has another name than <page>_example.py",
        ),
        ("genauth_async/models/mfa.py", "genauth_async/models/odd.py", "genauth_async/models/odd.py: has no page"),
    ],
)
@pytest.mark.slow
def test_every_area_has_an_example_and_everything_a_page(
    project: Path, old: str, new: str | None, message: str
) -> None:
    if new is None:
        (project / old).unlink()
    else:
        (project / old).rename(project / new)
    assert generate(project) == (1, [message])


def test_every_link_leads_somewhere() -> None:
    check_every(LINKING, check_links, lambda page: page.name)


def check_links(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert links or page.name == "stream.md"
    for link in set(links):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> Counter[str]:
    """The headings of a page as Markdown's renderers name them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = [heading.replace("`", "") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return Counter(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)


def test_no_page_repeats_a_heading_or_has_a_local_path() -> None:
    check_every(PAGES, check_page, lambda page: page.name)


def check_page(page: Path) -> None:
    assert [name for name, count in anchors(page).items() if count > 1] == []
    assert not re.search(r"/(home|root|tmp|work|Users)/", page.read_text(encoding="utf-8"))


def test_everything_public_has_a_section() -> None:
    explained = {name for page in PAGES for name in anchors(page)}
    methods = {name for name in vars(genauth_async.AuthenticationClient) if not name.startswith("_")}
    inherited = {name for name in dir(genauth_async.AuthenticationClient) if not name.startswith("_")} - methods
    names = {*genauth_async.__all__, *inherited, *(f"AuthenticationClient{name}" for name in methods)}
    assert {name for name in names if name.lower() not in explained} == set()


def test_the_tables_of_the_models_tell_what_the_classes_are() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    sections = {text.split("\n", 1)[0]: text for page in texts for text in re.split(r"^### ", page, flags=re.MULTILINE)}
    dtos = {name: cls for name in dir(models) if isinstance(cls := getattr(models, name), type)}
    assert len(dtos) > 290
    for name, cls in dtos.items():
        assert issubclass(cls, Dto)
        own = [attribute for attribute in wire_names(cls) if attribute in cls.__annotations__]
        documented = {attribute: (wire, notes) for attribute, wire, notes in ROW.findall(sections[name])}
        documented.pop("extra", None)
        assert documented == {
            attribute: (
                wire_names(cls)[attribute],
                ", ".join(
                    [
                        *(["required"] if attribute in required_attributes(cls) else []),
                        *(["secret"] if attribute in secret_attributes(cls) else []),
                    ]
                ),
            )
            for attribute in own
        }, name
