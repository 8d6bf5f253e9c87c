"""The AWS account we are signed in to, and what its refusals mean in a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from slotkeeper.aws.hindered import Hindered

NO_BOTO3 = Hindered(
    "boto3 is not installed: it talks to AWS", "From a clone: make setup. Otherwise: pip install 'slotkeeper[aws]'"
)

_SIGN_IN = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or run: aws configure"
_AGAIN = "Sign in again, for example: aws sso login"
_REFUSALS = {
    "ExpiredToken": ("the AWS credentials have expired", _AGAIN),
    "ExpiredTokenException": ("the AWS credentials have expired", _AGAIN),
    "RequestExpired": ("the AWS credentials have expired, or this machine's clock is wrong", _AGAIN),
    "InvalidClientTokenId": ("AWS does not know these credentials", _SIGN_IN),
    "UnrecognizedClientException": ("AWS does not know these credentials", _SIGN_IN),
    "InvalidAccessKeyId": ("AWS does not know these credentials", _SIGN_IN),
    "SignatureDoesNotMatch": ("the secret does not belong to the AWS access key, or the clock is wrong", _SIGN_IN),
}
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account in one region. `partition` is `aws`, or that of China or GovCloud."""

    id: str
    partition: str
    region: str
    _session: Any = field(repr=False)

    def client(self, service: str) -> Any:
        """A boto3 client; it tries a throttled call again by itself."""
        return _client(self._session, service)


def sign_in(region: str) -> Account:
    """The account of the credentials that AWS's tools find: the environment, the profile, the machine's role.

    Raises:
        Hindered: boto3 or credentials are missing, or AWS refuses them or cannot be reached.
    """
    try:
        from boto3.session import Session
    except ModuleNotFoundError as error:
        raise NO_BOTO3 from error
    with told():
        session = Session(region_name=region)
        caller = _client(session, "sts").get_caller_identity()
    partition = caller["Arn"].split(":")[1]
    return Account(id=caller["Account"], partition=partition, region=region, _session=session)


@contextmanager
def told() -> Iterator[None]:
    """Turn what boto3 raises within the block into `Hindered`, in one line and with what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refused(error.response.get("Error", {}), error.operation_name) from error
    except BotoCoreError as error:
        raise _unreached(error) from error


def code_of(error: Any) -> str:
    """AWS's code of a boto3 `ClientError`, such as AccessDenied."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _client(session: Any, service: str) -> Any:
    from botocore.config import Config

    return session.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 6}))


def _refused(error: dict[str, Any], operation: str) -> Hindered:
    code, message = str(error.get("Code", "")), " ".join(str(error.get("Message", "")).split())
    if code in _REFUSALS:
        return Hindered(*_REFUSALS[code])
    if code in _FORBIDDEN:
        return Hindered(
            f"these AWS credentials may not {operation}: {message}", "Use credentials that may deploy stacks."
        )
    return Hindered(f"AWS refused {operation}: {message or code}")


def _unreached(error: Exception) -> Hindered:
    from botocore import exceptions

    said = " ".join(str(error).split())
    match error:
        case exceptions.NoCredentialsError():
            return Hindered("there are no AWS credentials", _SIGN_IN)
        case exceptions.PartialCredentialsError() | exceptions.ProfileNotFound():
            return Hindered(said, _SIGN_IN)
        case exceptions.SSOError() | exceptions.TokenRetrievalError() | exceptions.UnauthorizedSSOTokenError():
            return Hindered(said, _AGAIN)
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return Hindered(f"AWS cannot be reached: {said}", "Look at the network, and at --region.")
        case _:
            return Hindered(said)
