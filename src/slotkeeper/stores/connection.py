"""Calls to DynamoDB: signed, over connections that are kept open, and tried again for a while when that may help.

What DynamoDB answers is either the result, or a condition that did not hold (`Failed`), or no answer that decides
anything: then, after the budget, `Unreachable`. Nothing is ever taken for "nothing is there".
"""

import random
import selectors
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec

from slotkeeper import __version__
from slotkeeper.core.errors import SlotkeeperError, Unreachable
from slotkeeper.stores.signing import Credentials, Scope, signed

SERVICE = "dynamodb"
TARGET = "DynamoDB_20120810."
MEDIA = "application/x-amz-json-1.0"
BUDGET_SECONDS = 3.0
TRY_SECONDS = 1.0
SHORTEST_TRY_SECONDS = 0.1
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.025, 0.5

CONDITION = "ConditionalCheckFailed"
PASSING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingException",
        "ThrottlingError",
        "ReplicatedWriteConflictException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)
"""Errors, and reasons why a transaction was cancelled, that pass by themselves: nothing was done."""


class Failed(SlotkeeperError):
    """A condition did not hold, and nothing was done by this try. `answer` is DynamoDB's.

    With `is_doubtful` an earlier try of the same call was left without an answer, and may have been done.
    """

    def __init__(self, answer: Mapping[str, Any], *, is_doubtful: bool) -> None:
        super().__init__("a condition did not hold")
        self.answer = answer
        self.is_doubtful = is_doubtful


class Rejected(Unreachable):
    """DynamoDB will not do it, however often it is asked. `code` is its name for why."""

    RETRY_AFTER = 30

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"DynamoDB refuses {operation}: {code}: {message}", retry_after=self.RETRY_AFTER)
        self.code = code


class _Passing(Exception):
    """This try came to nothing, the next one may not. With `is_doubtful` it may have been done all the same."""

    def __init__(self, why: str, *, is_doubtful: bool) -> None:
        super().__init__(why)
        self.is_doubtful = is_doubtful


class Patience:
    """How long something is tried again: pauses with full jitter, within a budget."""

    def __init__(self, budget_seconds: float, seconds: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._seconds = seconds
        self._sleep = sleep
        self._end = seconds() + budget_seconds
        self.pauses = 0

    def left(self) -> float:
        """The seconds that are left of the budget."""
        return self._end - self._seconds()

    def pause(self, why: str) -> None:
        """Wait before the next try.

        Raises:
            Unreachable: the budget would be spent; it says `why`.
        """
        most = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self.pauses)
        pause = random.uniform(0, most)  # noqa: S311 - no secret, only jitter: rivals must not come back together
        self.pauses += 1
        if self.left() - pause < SHORTEST_TRY_SECONDS:
            raise Unreachable(f"DynamoDB: {why} (try {self.pauses})")
        self._sleep(pause)


class Connection:
    """Calls to one region's DynamoDB. Any thread may use it: each call under way has a connection of its own."""

    def __init__(
        self,
        credentials: Credentials | Callable[[], Credentials],
        region: str,
        *,
        endpoint: str = "",
        app: str = "",
        budget_seconds: float = BUDGET_SECONDS,
        try_seconds: float = TRY_SECONDS,
        clock: Callable[[], float] = time.time,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Nothing is opened yet. Credentials that expire come from a function, which is asked at each try.

        Without `endpoint` it is the region's own, in AWS's public partition or in China. `app` is told in the
        User-Agent. A call takes `budget_seconds` with all its tries, a step of one try `try_seconds`. `clock` is
        the time that is signed, `seconds` one that only goes on.
        """
        self._credentials = credentials if callable(credentials) else lambda: credentials
        self._scope = Scope(region, SERVICE)
        self._url = urlsplit(endpoint or endpoint_of(region))
        self._headers = {"host": self._url.netloc, "content-type": MEDIA}
        self._agent = f"slotkeeper/{__version__}" + (f" app/{app}" if app else "")
        self._budget_seconds = budget_seconds
        self._try_seconds = try_seconds
        self._clock = clock
        self._seconds = seconds
        self._sleep = sleep
        self._idle: deque[HTTPConnection] = deque()
        self._tls: Any = None
        self.calls = 0
        self.retries = 0

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What DynamoDB answers to `operation`. A try that comes to nothing is made again, byte for byte.

        Raises:
            Failed: a condition did not hold. Rejected: it never will work. Unreachable: it did not work for now.
        """
        body = msgspec.json.encode(payload)
        patience = self.patience()
        is_doubtful = False
        self.calls += 1
        while True:
            try:
                return self._tried(operation, body, patience.left())
            except Failed as failed:
                failed.is_doubtful = is_doubtful or failed.is_doubtful
                raise
            except _Passing as passing:
                is_doubtful = is_doubtful or passing.is_doubtful
                patience.pause(f"{operation}: {passing}")
                self.retries += 1

    def patience(self) -> Patience:
        """The patience for one call."""
        return Patience(self._budget_seconds, self._seconds, self._sleep)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _tried(self, operation: str, body: bytes, left_seconds: float) -> dict[str, Any]:
        wire = self._taken()
        wire.timeout = max(SHORTEST_TRY_SECONDS, min(self._try_seconds, left_seconds))
        is_sent = False
        try:
            if wire.sock is None:
                wire.connect()
            wire.sock.settimeout(wire.timeout)
            is_sent = True
            wire.request("POST", "/", body, self._signed(operation, body))
            response = wire.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            wire.close()
            raise _Passing(_said(error), is_doubtful=is_sent) from error
        except BaseException:
            wire.close()  # half a conversation: nobody may go on with it
            raise
        if wire.sock is not None:  # the peer did not say that it closes
            self._idle.append(wire)
        return _understood(operation, response, content)

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        headers = self._headers | {"x-amz-target": TARGET + operation}
        return signed(self._credentials(), self._scope, headers, body, self._clock()) | {"user-agent": self._agent}

    def _taken(self) -> HTTPConnection:
        """A connection for one try: the one used last that is still open, or a new one, not yet connected."""
        while True:
            try:
                wire = self._idle.pop()
            except IndexError:  # none is left
                break
            if not _is_dropped(wire):
                return wire
            wire.close()
        if self._url.scheme == "http":
            return HTTPConnection(self._url.netloc)
        return HTTPSConnection(self._url.netloc, context=self._context())

    def _context(self) -> Any:
        """One for all connections: reading the certificates of the authorities takes a while."""
        if self._tls is None:
            import ssl  # nothing needs it where the endpoint is a plain one

            self._tls = ssl.create_default_context()
        return self._tls


def endpoint_of(region: str) -> str:
    """The region's own endpoint. Of the other partitions only China's is known here: for GovCloud it is the same as
    the public one, for the isolated ones name the endpoint."""
    return f"https://{SERVICE}.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _is_dropped(wire: HTTPConnection) -> bool:
    """Whether the peer has closed an idle connection: then there is something to read, its end."""
    with selectors.DefaultSelector() as selector:
        selector.register(wire.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _understood(operation: str, response: HTTPResponse, content: bytes) -> dict[str, Any]:
    """The answer, if it is one. Raises `_Passing`, `Failed` or `Rejected` as its status and body say."""
    try:
        answer = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _Passing(f"status {response.status} with a body that is none", is_doubtful=True) from error
    check = response.getheader("x-amz-crc32")
    if check is not None and check != str(zlib.crc32(content)):
        raise _Passing("the body is not what was sent", is_doubtful=True)
    if response.status == 200:
        return answer
    code = str(answer.get("__type", "")).rpartition("#")[2]
    if response.status >= 500 or not code:
        raise _Passing(f"status {response.status} {code}".rstrip(), is_doubtful=True)
    message = str(answer.get("message") or answer.get("Message") or "")
    reasons = [str(reason.get("Code")) for reason in answer.get("CancellationReasons") or ()]
    if code == f"{CONDITION}Exception" or CONDITION in reasons:
        raise Failed(answer, is_doubtful=False)
    whys = {reason for reason in reasons if reason != "None"} or {code}
    if whys <= PASSING:
        raise _Passing(", ".join(sorted(whys)), is_doubtful=False)
    raise Rejected(operation, ", ".join(sorted(whys)), message)


def _said(error: Exception) -> str:
    """What went wrong, without what was sent."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"
