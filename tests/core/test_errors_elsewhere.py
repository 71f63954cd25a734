"""Errors in another process: a worker of Celery with its JSON results, and a pool."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Any

import pytest

from genauth_async import GenAuthError, MFARequiredError
from tests.core.test_errors import all_errors, example


@pytest.fixture(scope="module")
def app() -> Any:
    celery = import_module("celery")
    return celery.Celery("test", backend="cache+memory://", broker="memory://", set_as_current=False)


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_celerys_json_results_keep_class_and_text(cls: type[GenAuthError], app: Any) -> None:
    error = example(cls)
    app.backend.mark_as_failure(cls.__name__, error)
    with pytest.raises(cls) as caught:
        app.AsyncResult(cls.__name__).get(timeout=30)
    again = caught.value
    assert type(again) is cls
    assert (str(again), again.message, again.args) == (str(error), error.message, error.args)
    assert again.is_transient is error.is_transient
    for name in ("status_code", "api_code", "error"):
        assert getattr(again, name, None) == getattr(error, name, None)


def refuse() -> None:
    raise MFARequiredError("second factor", status_code=300, api_code=1636, response={"data": {"mfaToken": "canary"}})


def test_a_pool_of_processes_keeps_the_error_but_no_secret() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        error = pool.submit(refuse).exception(timeout=120)
    assert isinstance(error, MFARequiredError)
    assert (error.api_code, error.mfa_token, str(error)) == (1636, None, "second factor (statusCode 300, apiCode 1636)")
