"""Errors of redis-py as errors of a store: those that pass, and those whose cause has to be changed."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    LockError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)

from ..errors import StoreError, StoreUnusableError

# Answers of a server that is not, or not yet, the master; or of one that became it and does not know the script.
_ROLE: Final = (BusyLoadingError, MasterDownError, NoScriptError, ReadOnlyError)
# In scripts, Redis 6 has the code of such an error in the text of another.
_ROLE_CODES: Final = r"\b(LOADING|MASTERDOWN|READONLY)\b"

# The first row that fits an error, by its class and text, has the change after which Redis can be used. Without such a
# change, time may be enough.
_REMEDIES: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, str | None], ...]] = (
    (
        (AuthenticationError, AuthenticationWrongNumberOfArgsError),
        "",
        "it refused the user name or the password; correct them in the client or its URL",
    ),
    (
        (AuthorizationError, NoPermissionError),
        "",
        "the ACL of its user must allow GET, SET, HGET, HSET, PEXPIRE, DEL, EVAL and EVALSHA for keys with the prefix",
    ),
    (MovedError, "", "it is a node of a cluster; pass a redis.asyncio.RedisCluster or a redis.RedisCluster as client"),
    (RedisClusterException, "mode is not enabled", "it is not a cluster; pass a redis.asyncio.Redis or a redis.Redis"),
    (
        ssl.SSLCertVerificationError,
        "",
        "its TLS certificate was refused; name the CA that issued it as `ssl_ca_certs`, and the host as it does",
    ),
    (
        ssl.SSLError,
        "ALERT|CERT|CIPHER|HTTP_REQUEST|PROTOCOL|VERSION",
        "the TLS handshake failed; check the port, the scheme (`rediss://` is TLS) and the client's certificate",
    ),
    (PermissionError, "", "this user may not connect to it; change the mode of its socket, or the firewall"),
    ((*_ROLE, AskError, ClusterDownError, OutOfMemoryError, TryAgainError), "", None),
    (ResponseError, _ROLE_CODES, None),
    (ResponseError, r"\b(BUSY|CLUSTERDOWN|INPROG|MISCONF|NOREPLICAS|OOM|TRYAGAIN|UNBLOCKED|UNKILLABLE)\b", None),
    (ResponseError, "onnection|timed out|upstream", None),  # of proxies, which have no codes
    (
        ResponseError,
        "WRONGTYPE",
        "another program has a key of this name; choose another prefix, or delete the key",
    ),
    (
        ResponseError,
        "",
        "it refused a command; allow GET, SET, HGET, HSET, PEXPIRE, DEL, EVAL and EVALSHA, and check the database",
    ),
)

_OTHER_LOOP: Final = (
    "The Redis client belongs to another event loop; give the store a URL, from which it makes a client for each loop"
)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Raise a StoreError instead of an error of redis-py or of a connection, except for a LockError."""
    try:
        yield
    except LockError:
        raise
    except (RedisError, RedisClusterException, OSError) as error:
        # The answer to an unknown command quotes its arguments, a record among them.
        raise _store_error(error) from (None if "args" in str(error) else error)
    except RuntimeError as error:
        if "loop" in str(error):
            raise StoreUnusableError(_OTHER_LOOP) from error
        raise StoreError(f"Redis cannot be used now ({error})") from error
    except AttributeError as error:
        # redis-py 8 raises it where another task closes a connection of a cluster, one of whose nodes has just failed.
        raise StoreError("Redis cannot be used now: a connection was closed") from error


def is_about_role(error: BaseException) -> bool:
    """Return True if the server refused a command since it is not, or not yet, the master."""
    return isinstance(error, _ROLE) or (isinstance(error, ResponseError) and _has(error, _ROLE_CODES))


def _store_error(error: BaseException) -> StoreError:
    passing = StoreError(f"Redis cannot be used now ({type(error).__name__})")
    cause: BaseException | None = error
    while cause is not None:
        for kinds, pattern, remedy in _REMEDIES:
            if isinstance(cause, kinds) and _has(cause, pattern):
                if remedy is None:
                    return passing
                return StoreUnusableError(f"Redis cannot be used ({type(cause).__name__}): {remedy}")
        cause = cause.__cause__ or cause.__context__
    return passing


def _has(error: BaseException, pattern: str) -> bool:
    # An answer about an unknown command quotes its arguments.
    return re.search(pattern, str(error).partition("args")[0]) is not None
