"""Every exception of redis-py, and the reason it stands for."""

from redis import exceptions as redis

from probe.check import Denied, Failure, Failures, Garbled, Unhealthy, reason_of
from probe.model import Reason


def _of_answer(error: redis.ResponseError) -> Reason:
    """An error without a class of its own, by its first word."""
    text = said(error)
    if text.startswith("DENIED "):  # protected mode: only loopback may come in without a password
        return Reason.AUTH
    if "unknown command" in text.lower():
        return Reason.PROTOCOL
    return Reason.UNHEALTHY


def _of_connection(error: redis.ConnectionError) -> Reason:
    """redis-py's class for a connection that broke, and for one that the server has no room for."""
    return Reason.UNHEALTHY if "max number of clients" in str(error) else Reason.CONNECT


_NOT_HEARD = (
    "ChildDeadlockedError",
    "CrossSlotTransactionError",
    "DataError",
    "ExecAbortError",
    "IncorrectPolicyType",
    "InvalidPipelineStack",
    "LockError",
    "LockNotOwnedError",
    "MaxConnectionsError",
    "NoScriptError",
    "NoSuchFieldsetError",
    "PubSubError",
    "RedisClusterException",
    "RedisError",
    "SlotNotCoveredError",
    "WatchError",
)
"""What is only said to, or by, a client that does more than ask: transactions, scripts, locks, pools, forks.

By name, because not every release of redis-py has each.
"""

FAILURES: Failures = {
    redis.AuthenticationError: Reason.AUTH,  # NOAUTH, WRONGPASS
    redis.AuthenticationWrongNumberOfArgsError: Reason.AUTH,
    redis.AuthorizationError: Reason.AUTH,
    redis.NoPermissionError: Reason.AUTH,  # NOPERM
    redis.ExternalAuthProviderError: Reason.UNHEALTHY,  # LDAP is down: nobody was denied
    redis.BusyLoadingError: Reason.UNHEALTHY,
    redis.MasterDownError: Reason.UNHEALTHY,
    redis.ClusterDownError: Reason.UNHEALTHY,
    redis.ClusterError: Reason.UNHEALTHY,
    redis.ClusterCrossSlotError: Reason.UNHEALTHY,
    redis.AskError: Reason.UNHEALTHY,
    redis.MovedError: Reason.UNHEALTHY,
    redis.TryAgainError: Reason.UNHEALTHY,
    redis.OutOfMemoryError: Reason.UNHEALTHY,
    redis.ReadOnlyError: Reason.UNHEALTHY,
    redis.ModuleError: Reason.UNHEALTHY,
    redis.ResponseError: _of_answer,
    redis.InvalidResponse: Reason.PROTOCOL,
    redis.TimeoutError: Reason.TIMEOUT,
    redis.ConnectionError: _of_connection,
    **{getattr(redis, name): Reason.INTERNAL for name in _NOT_HEARD if hasattr(redis, name)},
}


def said(error: redis.RedisError) -> str:
    """The server's error as it was sent; redis-py keeps its first word apart."""
    code = getattr(error, "status_code", None)
    return f"{code} {error}" if code else str(error)


def refusal(asked: str, error: redis.RedisError) -> Failure:
    """What to raise when `asked` was answered with this error."""
    kinds: dict[Reason, type[Failure]] = {Reason.AUTH: Denied, Reason.PROTOCOL: Garbled}
    return kinds.get(reason_of(error, FAILURES), Unhealthy)(f"{asked} was refused: {said(error)}")
