"""The generator of genauth_sync, on a miniature core.

golden/ holds that core and what is to be made of it; the files end in .txt, so that no tool takes them for real ones.
After a wanted change of the generator, `python tests/tools/test_generate_sync.py` writes the latter anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tools.generate_sync import HAND_WRITTEN

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
USED_BY_THE_BRIDGE = ["_core", "errors", "stream.py"]


def lay_out(root: Path, *, with_facade: bool) -> None:
    """Make a project of the golden sample, with the real bridge and what it needs."""
    for source in GOLDEN.rglob("*.txt"):
        path = source.relative_to(GOLDEN).with_suffix("")
        if with_facade or path.parts[0] == "genauth_async":
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / path)
    for name in USED_BY_THE_BRIDGE:
        source, target = ROOT / "genauth_async" / name, root / "genauth_async" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (root / "genauth_sync").mkdir(exist_ok=True)
    for name in HAND_WRITTEN:
        shutil.copy(ROOT / "genauth_sync" / name, root / "genauth_sync" / name)
    (root / "genauth_async/py.typed").touch()


def generate(root: Path, *arguments: str, python: str = sys.executable) -> tuple[int, list[str]]:
    command = [python, "-m", "tools.generate_sync", "--root", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    return done.returncode, done.stderr.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    lay_out(tmp_path, with_facade=True)
    return tmp_path


def test_the_real_facade_is_up_to_date() -> None:
    assert generate(ROOT, "--check") == (0, [])


def test_the_golden_sample(project: Path) -> None:
    assert generate(project, "--check") == (0, [])


def test_writing_makes_what_checking_wants(tmp_path: Path) -> None:
    lay_out(tmp_path, with_facade=False)
    assert generate(tmp_path) == (0, [])
    for expected in (GOLDEN / "genauth_sync").rglob("*.txt"):
        assert (tmp_path / expected.relative_to(GOLDEN).with_suffix("")).read_bytes() == expected.read_bytes()
    assert generate(tmp_path, "--check") == (0, [])


def test_an_edited_file_is_stale(project: Path) -> None:
    with (project / "genauth_sync/client.py").open("a") as file:
        file.write("# edited\n")
    assert generate(project, "--check") == (1, ["genauth_sync/client.py: stale"])
    assert generate(project) == (0, [])
    assert generate(project, "--check") == (0, [])


def test_a_shortened_file_is_stale(project: Path) -> None:
    path = project / "genauth_sync/session.py"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert generate(project, "--check") == (1, ["genauth_sync/session.py: stale"])


def test_a_missing_file_is_found(project: Path) -> None:
    (project / "genauth_sync/oidc/tokens.py").unlink()
    assert generate(project, "--check") == (1, ["genauth_sync/oidc/tokens.py: missing"])


@pytest.mark.parametrize("path", ["stray.py", "api/_bridge.py", "notes.md"])
@pytest.mark.parametrize("arguments", [("--check",), ()])
def test_a_stray_file_is_found(project: Path, path: str, arguments: tuple[str, ...]) -> None:
    (project / "genauth_sync" / path).touch()
    assert generate(project, *arguments) == (1, [f"genauth_sync/{path}: stray"])


def test_a_changed_core_makes_the_facade_stale(project: Path) -> None:
    replace(project / "genauth_async/oidc/tokens.py", "New tokens.", "Newer tokens.")
    assert generate(project, "--check") == (1, ["genauth_sync/oidc/tokens.py: stale"])


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


WATCH = "-> Stream[models.Answer]:"
METHOD = 'async def sign_out(self) -> None:\n        """Signs the user out."""'
SIGN_IN = "class SignIn(Api):"
TOKENS = "class Tokens(Api):"

# What is refused, the file of it, what is replaced there, by what, and what the message says.
REFUSED = {
    "any_number_of_arguments": ("api/signin.py", METHOD, "async def f(self, *parts: str) -> None: ...", "(*parts)"),
    "any_keyword": ("api/signin.py", METHOD, "async def f(self, **parts: str) -> None: ...", "(*parts)"),
    "no_annotation": ("api/signin.py", METHOD, "async def f(self, x) -> None: ...", "x has no annotation"),
    "no_returned_type": ("api/signin.py", METHOD, "async def f(self): ...", "f does not say what it returns"),
    "a_quoted_annotation": ("api/signin.py", METHOD, 'async def f(self) -> "int": ...', "a quoted annotation"),
    "an_unknown_name": ("api/signin.py", METHOD, "async def f(self, x: Odd) -> None: ...", "Odd is neither made here"),
    "an_unknown_default": ("api/signin.py", "= DEFAULT_KIND", "= UNKNOWN", "UNKNOWN is neither made here"),
    "a_callable_parameter": (
        "session.py",
        "refresh(self)",
        "refresh(self, f: Callable[[], None])",
        "Callable: something",
    ),
    "an_alias_of_a_callable": ("api/signin.py", "options: Options", "options: Hook", "Hook: something to be called"),
    "an_odd_callback": ("session.py", "Awaitable[None]]", "Awaitable[int]]", "OnTokens is not Callable[[X], Awaitable"),
    "a_name_of_the_bridge": (
        "api/signin.py",
        METHOD,
        'async def f(self, bridge: str) -> None:\n        """Does it."""',
        "bridge is what generated methods call",
    ),
    "an_asynchronous_generator": (
        "api/signin.py",
        METHOD,
        "async def f(self) -> AsyncIterator[int]:\n        yield 1",
        "AsyncIterator: something to be called or awaited",
    ),
    "an_awaitable_result": ("api/signin.py", METHOD, "def f(self) -> Awaitable[int]: ...", "Awaitable: something"),
    "an_unknown_decorator": ("api/signin.py", METHOD, f"@cache\n    {METHOD}", "sign_out has a decorator"),
    "a_setter": (
        "api/signin.py",
        METHOD,
        "@attempts.setter\n    def attempts(self, value: int) -> None: ...",
        "attempts has a decorator",
    ),
    "a_static_method": ("api/signin.py", METHOD, "@staticmethod\n    def f() -> None: ...", "f has a decorator"),
    "a_coroutine_class_method": (
        "api/signin.py",
        METHOD,
        "@classmethod\n    async def f(cls) -> None: ...",
        "f has a decorator",
    ),
    "an_unknown_special_method": ("api/signin.py", METHOD, "def __len__(self) -> int: ...", "special method __len__"),
    "a_nested_class": ("api/signin.py", METHOD, "class Inner: ...", "SignIn has something other than methods"),
    "a_public_attribute": ("api/signin.py", METHOD, "retries: int = 1", "SignIn has something other than methods"),
    "an_unknown_base_class": ("api/signin.py", SIGN_IN, "class SignIn(Api, Odd):", "unknown base class Odd"),
    "a_metaclass": ("api/signin.py", SIGN_IN, "class SignIn(Api, metaclass=Odd):", "SignIn has a decorator or keyword"),
    "a_class_decorator": ("api/signin.py", SIGN_IN, f"@final\n{SIGN_IN}", "SignIn has a decorator or keyword"),
    "a_facade_within_a_type": (
        "client.py",
        "-> TokenSession:",
        "-> TokenSession | None:",
        "stands within another type",
    ),
    "a_stream_within_a_type": ("api/signin.py", WATCH, "-> Stream[Answer] | None:", "Stream has a facade, and stands"),
    "a_stream_of_anything": ("api/signin.py", WATCH, "-> Stream:", "Stream has a facade, and stands"),
    "a_stream_of_streams": ("api/signin.py", WATCH, "-> Stream[Stream[Answer]]:", "Stream has a facade, and stands"),
    "a_stream_by_its_own_name": ("api/signin.py", WATCH, "-> Watching:", "Watching is a stream; Stream[...] is what"),
    "a_stream_as_an_argument": (
        "api/signin.py",
        METHOD,
        "async def f(self, stream: Stream[Answer]) -> None: ...",
        "Stream has a facade, and stands",
    ),
    "a_stream_of_what_is_awaited": (
        "api/signin.py",
        WATCH,
        "-> Stream[Awaitable[int]]:",
        "Awaitable: something to be called or awaited",
    ),
    "a_stream_that_is_awaited": (
        "api/signin.py",
        METHOD,
        "async def f(self) -> Stream[Answer]: ...",
        "f gives a stream, and is no plain method",
    ),
    "a_stream_as_a_property": (
        "api/signin.py",
        METHOD,
        "@property\n    def f(self) -> Stream[Answer]: ...",
        "f gives a stream, and is no plain method",
    ),
    "a_quoted_model": ("api/signin.py", WATCH, '-> Stream["models.Answer"]:', "a quoted annotation"),
    "a_model_that_is_not_there": ("api/signin.py", WATCH, "-> Stream[models.Odd]:", "models.Odd is no class of a"),
    "a_private_model": ("api/signin.py", WATCH, "-> Stream[models._MODULES]:", "models._MODULES is no class of a"),
    "a_module_of_the_models": (
        "api/signin.py",
        WATCH,
        "-> Stream[models.answers.Answer]:",
        "models.answers.Answer is no class of a",
    ),
    "models_that_are_not_imported": (
        "oidc/tokens.py",
        "-> TokenSet:",
        "-> models.TokenSet:",
        "models.TokenSet is no class of a shared package that is imported here",
    ),
    "a_class_by_way_of_its_module": ("api/signin.py", WATCH, "-> session.TokenSession:", "session.TokenSession is no"),
    "a_coroutine_function": ("oidc/tokens.py", TOKENS, f"async def poll() -> None: ...\n{TOKENS}", "outside a class"),
    "an_area_of_two_clients": (
        "oidc/tokens.py",
        TOKENS,
        f'class Other(Tokens):\n    """Another."""\n{TOKENS}',
        "Tokens is a base of both AuthenticationClient and Other",
    ),
    "a_docstring_that_is_wrong_here": ("oidc/tokens.py", "New tokens.", "New; await it.", "the docstring says 'await'"),
    "a_package_with_code": ("api/__init__.py", '"""The areas of the API."""', "import os", "a package has imports and"),
    "lazy_models_with_code": ("models/__init__.py", "def __dir__()", "def names()", "a package has imports and"),
    "lazy_models_whose_names_are_made": (
        "models/__init__.py",
        "_MODULES: Final = {",
        "__all__ = sorted(_names)\n_MODULES: Final = {",
        "the names are not written out: sorted(_names)",
    ),
    "a_lazy_package_that_needs_a_facade": (
        "api/__init__.py",
        '"""The areas of the API."""',
        "def __getattr__(name: str) -> object: ...",
        "a package has imports and",
    ),
    "an_exported_class_without_a_facade": ("stores.py", "class MemoryStore:", "class TokenSet:", "but no facade"),
}


@pytest.mark.parametrize(("path", "old", "new", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_what_it_does_not_know_it_refuses(project: Path, path: str, old: str, new: str, problem: str) -> None:
    (project / "genauth_sync/client.py").write_text("left alone")
    replace(project / "genauth_async" / path, old, new)
    status, lines = generate(project)
    assert status == 1
    assert len(lines) == 1
    assert re.match(rf"genauth_async/{path}:\d+: ", lines[0])
    assert problem in lines[0]
    assert (project / "genauth_sync/client.py").read_text() == "left alone"


def test_a_refusal_names_the_line(project: Path) -> None:
    path = project / "genauth_async/api/signin.py"
    replace(path, METHOD, "async def f(self, *parts: str) -> None: ...")
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "*parts" in text)
    assert generate(project)[1] == [
        f"genauth_async/api/signin.py:{line}: f takes any number of arguments (*parts)",
    ]


def test_an_entry_that_serves_nothing_is_refused(project: Path) -> None:
    replace(project / "genauth_async/client.py", "def __repr__", "def _repr")
    message = "tools/core_source.py: the entry '__repr__' serves nothing; remove it"
    assert generate(project, "--check") == (1, [message])


@pytest.mark.skipif(os.name == "nt", reason="makes links and scripts")
def test_without_a_formatter_it_fails(project: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    status, lines = generate(project, "--check", python=str(python))
    assert status == 1
    assert lines == [f"there is no ruff beside {python}"]

    ruff = tmp_path / "ruff"
    ruff.write_text("#!/bin/sh\necho broken; exit 2\n")
    ruff.chmod(0o755)
    assert generate(project, "--check", python=str(python)) == (1, ["ruff check failed: broken"])


def test_lazy_models_may_have_their_names_in_all(project: Path) -> None:
    replace(project / "genauth_async/models/__init__.py", "_MODULES: Final", '__all__ = ["Answer"]\n_MODULES: Final')
    status, [problem] = generate(project)
    assert status == 1
    assert "models.State is no class of a shared package" in problem


def test_what_the_core_imports_late_the_facade_does_too(project: Path) -> None:
    program = """
import genauth_async, genauth_sync
assert "Answer" not in vars(genauth_sync)
assert "Answer" in dir(genauth_sync)
assert genauth_sync.Answer is genauth_async.Answer
assert "Answer" in vars(genauth_sync)
assert not hasattr(genauth_sync, "State")
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=project, timeout=60)


def test_a_late_import_in_the_core_is_replaced_by_its_facade(project: Path) -> None:
    path = project / "genauth_async/__init__.py"
    replace(path, "from .session import TokenSession\n", "")
    replace(
        path,
        "    from .models import Answer\n",
        "    from .models import Answer\n    from .session import TokenSession\n",
    )
    assert generate(project) == (0, [])
    assert "from genauth_sync.session import TokenSession" in (project / "genauth_sync/__init__.py").read_text()


@pytest.mark.slow
def test_the_golden_facade_is_well_typed(project: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=cache", "genauth_async", "genauth_sync"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project, timeout=300)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


PROGRAM = """
import threading

from genauth_sync import AuthenticationClient, MemoryStore, Stream, TokenSession, TokenSet
from genauth_sync.models import TokenSet as SameTokenSet


def on_tokens(tokens):
    print(tokens, threading.current_thread() is threading.main_thread())


with AuthenticationClient("app") as client:
    print(client, client.sign_in("ada", encrypt="sm2"), client.attempts)
    print(client.sign_out(), client.get("field"), client.login_url("x"))
    client.listen(print)
    print(client.put("x", []), client.watch().last())
    for answer in client.watch():
        print(answer)
    print(client.with_options(lang="en"), AuthenticationClient.from_env({"APP_ID": "other"}))
    session = client.session(TokenSet("t"), store=MemoryStore(), on_tokens=on_tokens)
    print(type(session) is TokenSession, session.refresh())
    print(type(client.watch()) is Stream, SameTokenSet is TokenSet)
    print(TokenSession(client, TokenSet("u")).refresh())
"""


def test_the_golden_facade_runs(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "<AuthenticationClient app> Answer(text='app ada None None password sm2') 1",
        "None field https://example.com/?state=x",
        "an event",
        "Answer(text='x 0') Answer(text='DONE')",
        "Answer(text='PENDING')",
        "Answer(text='DONE')",
        "<AuthenticationClient app-en> <AuthenticationClient other>",
        "TokenSet(access_token='app fresh t') False",
        "True TokenSet(access_token='app fresh t')",
        "True True",
        "TokenSet(access_token='app fresh u')",
        "closed",
        "closed",  # once more at exit: the variables still have it
    ]


def write_golden() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), with_facade=False)
        print(generate(Path(folder)))
        for made in (Path(folder) / "genauth_sync").rglob("*.py"):
            if made.name not in HAND_WRITTEN:
                golden = GOLDEN / made.relative_to(folder).with_suffix(".py.txt")
                golden.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(made, golden)


if __name__ == "__main__":
    write_golden()
