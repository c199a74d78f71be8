"""What S3's and botocore's errors mean: S3 says no with a code of its own beside the HTTP status."""

from collections.abc import Mapping
from typing import Any

from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError

from probe.check import Denied, Failure, Failures, Garbled, Unhealthy
from probe.exchange.http import FAILURES as OF_HTTP
from probe.model import Reason

DENIALS = {
    "AccessDenied": "access denied",
    "AccountProblem": "there is a problem with the account",
    "AllAccessDisabled": "all access is disabled",
    "AuthFailure": "the credentials were refused",
    "AuthorizationHeaderMalformed": "the signature is for another region; set `region`",
    "ExpiredToken": "the session token has expired",
    "ExpiredTokenException": "the session token has expired",
    "InvalidAccessKeyId": "there is no such access key",
    "InvalidClientTokenId": "there is no such access key",
    "InvalidToken": "the session token is not valid",
    "NotSignedUp": "the account is not signed up for this",
    "OptInRequired": "the account is not signed up for this",
    "RequestExpired": "the request came too late: the clocks of this machine and of the server differ",
    "RequestTimeTooSkewed": "the clocks of this machine and of the server differ by more than 15 minutes",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "TokenRefreshRequired": "the session token must be renewed",
    "UnrecognizedClientException": "there is no such access key",
    "XMinioInvalidIAMCredentials": "there is no such access key",
}
"""Codes that speak of the login or of a permission, and what they say."""

PAGES = ("text/html", "text/plain", "application/json")
"""What web servers answer in, and say "not found" in, where S3 would say it in XML."""


class Missing(Unhealthy):
    """There is no such bucket."""


def refusal(error: botocore.ClientError, what: str) -> Failure:
    """The failure that an error answer stands for, in words; `what` was asked for, say `bucket "uploads"`."""
    code, words, status = _said(error)
    if code in DENIALS or status in (401, 403):
        told = DENIALS.get(code) or words
        return Denied(f"{what}: {told} ({_number(status, code)})")
    if status < 500 and is_page(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})):
        return Garbled(f"{what}: a web page came instead of S3's answer ({status})")
    if code in ("NoSuchBucket", "404"):
        return Missing(f"{what} does not exist ({_number(status, code)})")
    return Unhealthy(f"{what}: {words or 'refused'} ({_number(status, code)})")


def of_code(error: botocore.ClientError) -> Reason:
    """The reason of an error answer that nobody gave words."""
    return Reason.AUTH if isinstance(refusal(error, ""), Denied) else Reason.UNHEALTHY


def is_denied(error: botocore.ClientError) -> bool:
    """Whether the login is good and only this is not permitted."""
    code, _, status = _said(error)
    return code == "AccessDenied" or (status == 403 and code == "403")


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether an answer with these headers (lower case) is the page of some web server. S3 speaks XML."""
    is_other = headers.get("content-type", "").startswith(PAGES) and headers.get("content-length") != "0"
    return is_other and not any(name.startswith("x-amz") for name in headers)


def _said(error: botocore.ClientError) -> tuple[str, str, int]:
    """Code, message and HTTP status of an error answer; a HEAD's has its status as code."""
    said: Mapping[str, Any] = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(said.get("Code", "")), str(said.get("Message", "")), int(status)


def _number(status: int, code: str) -> str:
    return f"{status} {code}" if code and code != str(status) else str(status)


MALFORMED = (LookupError, TypeError, ValueError, OverflowError, RuntimeError)
"""What comes of an answer that lacks a part, or has a number or a date that is none: botocore minds neither."""

FAILURES: Failures = {
    **OF_HTTP,
    botocore.ClientError: of_code,
    # What no other line names: asked wrongly, or told so by a config file of AWS' own.
    botocore.BotoCoreError: Reason.INTERNAL,
    botocore.UndefinedModelAttributeError: Reason.INTERNAL,
    # Our transport raises the exchange's failures; these are of the look-ups of AWS' own credential chain.
    botocore.HTTPClientError: Reason.PROTOCOL,
    botocore.ConnectionError: Reason.CONNECT,
    botocore.SSLError: Reason.TLS,
    botocore.ReadTimeoutError: Reason.TIMEOUT,
    botocore.ConnectTimeoutError: Reason.TIMEOUT,
    botocore.ConnectionClosedError: Reason.CONNECT,
    botocore.ResponseStreamingError: Reason.PROTOCOL,
    ResponseParserError: Reason.PROTOCOL,
    botocore.IncompleteReadError: Reason.PROTOCOL,
    botocore.ChecksumError: Reason.PROTOCOL,
    botocore.FlexibleChecksumError: Reason.PROTOCOL,
    botocore.PaginationError: Reason.PROTOCOL,
    botocore.CapacityNotAvailableError: Reason.UNHEALTHY,
    botocore.WaiterError: Reason.UNHEALTHY,
    botocore.NoCredentialsError: Reason.AUTH,
    botocore.PartialCredentialsError: Reason.AUTH,
    botocore.CredentialRetrievalError: Reason.AUTH,
    botocore.UnknownCredentialError: Reason.AUTH,
    botocore.NoAuthTokenError: Reason.AUTH,
    botocore.TokenRetrievalError: Reason.AUTH,
    botocore.MetadataRetrievalError: Reason.AUTH,
    botocore.ProfileNotFound: Reason.AUTH,
    botocore.RefreshWithMFAUnsupportedError: Reason.AUTH,
    botocore.SSOError: Reason.AUTH,
    botocore.ConfigParseError: Reason.AUTH,
    botocore.ConfigNotFound: Reason.AUTH,
    botocore.InvalidConfigError: Reason.AUTH,
    botocore.InvalidIMDSEndpointError: Reason.AUTH,
    botocore.InvalidIMDSEndpointModeError: Reason.AUTH,
}
"""aiohttp's and botocore's exceptions; a class that is not here stands for what its nearest base does."""
