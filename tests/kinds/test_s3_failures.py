"""Each exception of botocore and of aiohttp has a reason that somebody chose."""

import inspect

import aiohttp
import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from probe.check import Denied, Failure, Garbled, Unhealthy, reason_of
from probe.kinds.s3.failures import FAILURES, Missing, refusal
from probe.model import Reason

OURS = {
    "AliasConflictParameterError",
    "ApiVersionNotFoundError",
    "AwsChunkedWrapperError",
    "BaseEndpointResolverError",
    "BotoCoreError",
    "DataNotFoundError",
    "EndpointProviderError",
    "EndpointResolutionError",
    "EndpointVariantError",
    "InvalidChecksumConfigError",
    "InvalidDNSNameError",
    "InvalidDefaultsMode",
    "InvalidEndpointConfigurationError",
    "InvalidEndpointDiscoveryConfigurationError",
    "InvalidExpressionError",
    "InvalidHostLabelError",
    "InvalidMaxRetryAttemptsError",
    "InvalidProxiesConfigError",
    "InvalidRegionError",
    "InvalidRetryConfigurationError",
    "InvalidRetryModeError",
    "InvalidS3AddressingStyleError",
    "InvalidS3UsEast1RegionalEndpointConfigError",
    "InvalidSTSRegionalEndpointsConfigError",
    "MD5UnavailableError",
    "MissingDependencyException",
    "MissingParametersError",
    "MissingServiceIdError",
    "NoRegionError",
    "OperationNotPageableError",
    "ParamValidationError",
    "RangeError",
    "ServiceNotInRegionError",
    "StubAssertionError",
    "StubResponseError",
    "UnStubbedResponseError",
    "UndefinedModelAttributeError",
    "UnknownClientMethodError",
    "UnknownEndpointError",
    "UnknownEndpointResolutionBuiltInName",
    "UnknownFIPSEndpointError",
    "UnknownKeyError",
    "UnknownParameterError",
    "UnknownRegionError",
    "UnknownServiceError",
    "UnknownServiceStyle",
    "UnknownSignatureVersionError",
    "UnseekableStreamError",
    "UnsupportedOutpostResourceError",
    "UnsupportedS3AccesspointConfigurationError",
    "UnsupportedS3ArnError",
    "UnsupportedS3ConfigurationError",
    "UnsupportedS3ControlArnError",
    "UnsupportedS3ControlConfigurationError",
    "UnsupportedServiceProtocolsError",
    "UnsupportedSignatureVersionError",
    "ValidationError",
    "WaiterConfigError",
}
"""Exceptions of botocore that only a bug of ours raises: something was asked or set up wrongly. A new class of
botocore's is not among them until somebody has looked at it."""


def made(kind: type[BaseException]) -> BaseException:
    """An instance, whatever its __init__ wants."""
    if issubclass(kind, exceptions.ClientError):
        return kind({"Error": {}}, "HeadBucket")
    error = kind.__new__(kind)
    error.status = 500  # type: ignore[attr-defined]  # aiohttp's, which tell by their status
    return error


def exceptions_of(module: object) -> list[type[BaseException]]:
    found = [member for _, member in inspect.getmembers(module, inspect.isclass)]
    name = getattr(module, "__name__", "")
    return [each for each in found if issubclass(each, Exception) and each.__module__.startswith(name)]


def test_every_exception_of_botocore_is_mapped() -> None:
    found = [each for each in exceptions_of(exceptions) if not issubclass(each, Warning)]
    internal = {each.__name__ for each in found if reason_of(made(each), FAILURES) is Reason.INTERNAL}
    assert len(found) > 90
    assert internal == OURS


def test_every_exception_of_aiohttp_s_client_is_mapped() -> None:
    found = [each for each in exceptions_of(aiohttp) if issubclass(each, aiohttp.ClientError)]
    assert len(found) > 20
    assert [each for each in found if reason_of(made(each), FAILURES) is Reason.INTERNAL] == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (exceptions.EndpointConnectionError, Reason.CONNECT),
        (exceptions.ConnectionClosedError, Reason.CONNECT),
        (exceptions.ProxyConnectionError, Reason.CONNECT),
        (exceptions.SSLError, Reason.TLS),
        (exceptions.ReadTimeoutError, Reason.TIMEOUT),
        (exceptions.ConnectTimeoutError, Reason.TIMEOUT),
        (exceptions.IncompleteReadError, Reason.PROTOCOL),
        (exceptions.NoCredentialsError, Reason.AUTH),
        (exceptions.UnauthorizedSSOTokenError, Reason.AUTH),
        (exceptions.ParamValidationError, Reason.INTERNAL),
        (ResponseParserError, Reason.PROTOCOL),
    ],
)
def test_what_they_stand_for(kind: type[BaseException], reason: Reason) -> None:
    assert reason_of(made(kind), FAILURES) is reason


@pytest.mark.parametrize(
    ("status", "code", "kind", "message"),
    [
        (403, "AccessDenied", Denied, "it: access denied (403 AccessDenied)"),
        (403, "", Denied, "it: no (403)"),
        (401, "Unauthorized", Denied, "it: no (401 Unauthorized)"),
        (400, "ExpiredToken", Denied, "it: the session token has expired (400 ExpiredToken)"),
        (404, "NoSuchBucket", Missing, "it does not exist (404 NoSuchBucket)"),
        (404, "404", Missing, "it does not exist (404)"),
        (503, "SlowDown", Unhealthy, "it: no (503 SlowDown)"),
        (500, "InternalError", Unhealthy, "it: no (500 InternalError)"),
        (301, "PermanentRedirect", Unhealthy, "it: no (301 PermanentRedirect)"),
    ],
)
def test_what_an_error_answer_says(status: int, code: str, kind: type[Failure], message: str) -> None:
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = exceptions.ClientError(response, "HeadBucket")  # type: ignore[arg-type]  # as much of it as is read
    found = refusal(error, "it")
    assert (type(found), str(found)) == (kind, message)
    assert reason_of(error, FAILURES) is (Reason.AUTH if kind is Denied else Reason.UNHEALTHY)


def test_a_web_page_is_no_answer_of_s3() -> None:
    headers = {"content-type": "text/html; charset=utf-8"}
    response = {"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404, "HTTPHeaders": headers}}
    error = exceptions.ClientError(response, "ListObjectsV2")  # type: ignore[arg-type]  # as much of it as is read
    assert type(refusal(error, "it")) is Garbled
