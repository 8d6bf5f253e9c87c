"""Calls to DynamoDB: what comes back, what is tried again, and what is never taken for an answer."""

import logging
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from slotkeeper import __version__
from slotkeeper.core.errors import Unreachable
from slotkeeper.stores.connection import PASSING as CODES
from slotkeeper.stores.connection import Connection, Failed, Rejected, endpoint_of
from slotkeeper.stores.signing import Credentials
from tests.aws.emulator import ENVIRONMENT
from tests.stores.peer import Act, Asked, a_peer, answer, cancelled, failure, half, hang_up, late, reset

CREDENTIALS = Credentials("AKIDEXAMPLE", "hush-secret", "hush-token")
THROTTLED = failure("ProvisionedThroughputExceededException")
FREE: dict[str, Any] = {}
"""What a GetItem answers where nothing is there."""
LATE = late(5)
SHORT_SECONDS = 0.15
"""For those that answer late; all others have time, however busy the machine is."""

PASSING = {
    "throttled": THROTTLED,
    "throttled as a whole": failure("ThrottlingException"),
    "limited": failure("RequestLimitExceeded"),
    "in conflict": failure("TransactionConflictException"),
    "throttled in a transaction": cancelled("ProvisionedThroughputExceeded"),
    "in conflict with a replica": failure("ReplicatedWriteConflictException"),
    "in progress": failure("TransactionInProgressException"),
    "cancelled by a conflict": cancelled("None", "TransactionConflict"),
    "cancelled by throttling": cancelled("ThrottlingError", "TransactionConflict", "None"),
    "cancelled for no reason": failure("TransactionCanceledException"),
    "cancelled for every reason": cancelled(*CODES),
}
"""Nothing was done, and DynamoDB says so."""

LOST = {
    "an error of theirs": failure("InternalServerError", 500),
    "no service": answer(b"<html>Service Unavailable</html>", 503),
    "a refusal of somebody between": answer(b"<html>no</html>", 403),
    "an error without a name": answer({}, 400),
    "broken off": reset,
    "half an answer": half,
    "nothing said": hang_up,
    "too late": LATE,
    "garbage": answer(b"\x00\xff not JSON"),
    "a list": answer([]),
    "more brackets than can be": answer(b'{"Item":' * 100_000),
    "half of the JSON": answer(b'{"Item": {"part"'),
    "another body than was sent": answer({}, x_amz_crc32="1"),
    "no HTTP at all": lambda wire, asked: wire.sendall(b"220 mail.example.com ESMTP\r\n") is not None,
}
"""It may have been done all the same."""


@dataclass
class Time:
    """Time that passes only by sleeping; `pauses` are what was slept."""

    now: float = 1_800_000_000.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


Connecting = Callable[..., Connection]


@pytest.fixture
def connected() -> Iterator[Connecting]:
    """Makes connections whose tries are short, by a time that costs none, and closes them."""
    made: list[Connection] = []

    def connect(endpoint: str, passing: Time | None = None, **others: Any) -> Connection:
        passing = passing or Time()
        facts: dict[str, Any] = {"credentials": CREDENTIALS, "try_seconds": 5} | others
        connection = Connection(
            region="us-west-1", endpoint=endpoint, clock=passing, seconds=passing, sleep=passing.sleep, **facts
        )
        made.append(connection)
        return connection

    yield connect
    for each in made:
        each.close()


def patience(*troubles: Act) -> dict[str, float]:
    """How long a try lasts."""
    return {"try_seconds": SHORT_SECONDS} if LATE in troubles else {}


def test_an_answer_comes_back_as_it_is(connected: Connecting) -> None:
    body = b'{"Item": {"part": {"S": "\xc3\xbc"}}}'
    with a_peer(answer(body, x_amz_crc32=str(zlib.crc32(body)))) as peer:
        found = connected(peer.endpoint).call("GetItem", {"Key": "ü"})

    [asked] = peer.asked
    assert found == {"Item": {"part": {"S": "ü"}}}
    assert msgspec.json.decode(asked.body) == {"Key": "ü"}
    assert asked.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert asked.headers["content-type"] == "application/x-amz-json-1.0"
    assert asked.headers["host"] == peer.endpoint.removeprefix("http://")
    assert asked.headers["x-amz-security-token"] == "hush-token"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-west-1/dyn")


@pytest.mark.parametrize(("app", "agent"), [({}, ""), ({"app": "ConflictDetector"}, " app/ConflictDetector")])
def test_who_asks_tells_its_name_and_version(connected: Connecting, app: dict[str, str], agent: str) -> None:
    with a_peer(answer({})) as peer:
        connected(peer.endpoint, **app).call("GetItem", {})

    assert peer.asked[0].headers["user-agent"] == f"slotkeeper/{__version__}{agent}"


def test_calls_share_a_connection_and_calls_at_the_same_moment_do_not(connected: Connecting) -> None:
    gate = threading.Barrier(3)

    def together(wire: Any, asked: Asked) -> bool:
        gate.wait()
        return answer({})(wire, asked)

    with a_peer(answer({}), answer({}), together) as peer:
        connection = connected(peer.endpoint)
        for _ in range(2):
            connection.call("GetItem", {})
        one_by_one = peer.connections
        callers = [threading.Thread(target=connection.call, args=("GetItem", {})) for _ in range(3)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

        assert (one_by_one, peer.connections, len(peer.asked)) == (1, 3, 5)


@pytest.mark.parametrize("farewell", ["hangs up afterwards", "announces it"])
def test_a_connection_that_was_closed_meanwhile_costs_no_try(connected: Connecting, farewell: str) -> None:
    last = answer({}, connection="close") if farewell == "announces it" else lambda *it: not answer({})(*it)
    with a_peer(last) as peer:
        connection = connected(peer.endpoint)
        for _ in range(3):
            connection.call("GetItem", {})
            time.sleep(0.02)

    assert (peer.connections, len(peer.asked), connection.retries) == (3, 3, 0)


@pytest.mark.parametrize("trouble", [*PASSING.values(), *LOST.values()], ids=[*PASSING, *LOST])
def test_what_comes_to_nothing_is_tried_again_byte_for_byte(connected: Connecting, trouble: Act) -> None:
    with a_peer(trouble, trouble, answer({"Item": "it"})) as peer:
        connection = connected(peer.endpoint, **patience(trouble))

        assert connection.call("TransactWriteItems", {"ClientRequestToken": "once"}) == {"Item": "it"}

    assert [asked.body for asked in peer.asked] == [b'{"ClientRequestToken":"once"}'] * 3
    assert (connection.calls, connection.retries) == (1, 2)


@pytest.mark.parametrize("trouble", [*PASSING.values(), *LOST.values()], ids=[*PASSING, *LOST])
def test_what_keeps_coming_to_nothing_is_unreachable_and_never_an_answer(connected: Connecting, trouble: Act) -> None:
    passing = Time()
    with a_peer(trouble) as peer, pytest.raises(Unreachable, match="GetItem: ") as caught:
        connected(peer.endpoint, passing, budget_seconds=0.5, **patience(trouble)).call("GetItem", {})

    assert not isinstance(caught.value, Rejected)
    assert caught.value.retry_after >= 1
    assert len(peer.asked) > 2
    assert sum(passing.pauses) < 0.5


def test_pauses_grow_and_never_go_beyond_the_budget(connected: Connecting) -> None:
    passing = Time()
    with a_peer(THROTTLED) as peer, pytest.raises(Unreachable, match="ProvisionedThroughputExceeded"):
        connected(peer.endpoint, passing, budget_seconds=60).call("GetItem", {})

    bounds = [min(0.5, 0.025 * 2**number) for number in range(len(passing.pauses))]
    assert passing.pauses[0] > 0
    assert all(0 <= pause <= bound for pause, bound in zip(passing.pauses, bounds, strict=True))
    assert len({round(pause, 6) for pause in passing.pauses}) > len(passing.pauses) / 2
    assert max(passing.pauses) > 0.25
    assert 59 < sum(passing.pauses) < 60


def test_the_longest_pauses_double_up_to_half_a_second(connected: Connecting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    passing = Time()
    with a_peer(THROTTLED) as peer, pytest.raises(Unreachable):
        connected(peer.endpoint, passing, budget_seconds=3).call("GetItem", {})

    assert passing.pauses[:7] == [0.025, 0.05, 0.1, 0.2, 0.4, 0.5, 0.5]


def test_a_call_has_three_seconds_and_each_step_of_a_try_has_one() -> None:
    with a_peer(answer({})) as peer:
        connection = Connection(CREDENTIALS, "us-west-1", endpoint=peer.endpoint, seconds=Time())
        with closing(connection):
            connection.call("GetItem", {})
            [wire] = connection._idle

    assert (connection.patience().left(), wire.timeout) == (3, 1)


def test_a_slow_peer_cannot_hold_a_caller_beyond_the_budget() -> None:
    with a_peer(LATE) as peer:
        connection = Connection(CREDENTIALS, "us-west-1", endpoint=peer.endpoint, budget_seconds=0.6, try_seconds=0.25)
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            connection.call("GetItem", {})

    assert time.monotonic() - begun < 2
    assert len(peer.asked) >= 2


def test_a_connection_that_is_kept_waits_no_longer_than_is_left_of_the_budget(connected: Connecting) -> None:
    passing = Time()

    def slowly(wire: Any, asked: Asked) -> bool:
        passing.now += 4.8
        return THROTTLED(wire, asked)

    with a_peer(slowly, late(1)) as peer, pytest.raises(Unreachable, match="no answer in time"):
        connected(peer.endpoint, passing, budget_seconds=5).call("GetItem", {})


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (failure("InternalServerError", 500), "status 500 InternalServerError"),
        (answer({}, 400), "status 400"),
        (answer(b"no", 403), "status 403 with a body that is none"),
        (hang_up, "RemoteDisconnected: Remote end closed connection without response"),
        (failure("ThrottlingException"), "ThrottlingException"),
        (cancelled("ThrottlingError", "None", "TransactionConflict"), "ThrottlingError, TransactionConflict"),
    ],
)
def test_who_gives_up_tells_what_the_last_trouble_was(connected: Connecting, trouble: Act, said: str) -> None:
    with a_peer(trouble) as peer, pytest.raises(Unreachable) as caught:
        connected(peer.endpoint, budget_seconds=0.1).call("GetItem", {})

    assert str(caught.value) == f"DynamoDB: GetItem: {said} (try 1)"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (failure("ResourceNotFoundException"), "ResourceNotFoundException"),
        (failure("AccessDeniedException"), "AccessDeniedException"),
        (failure("ExpiredTokenException"), "ExpiredTokenException"),
        (failure("UnrecognizedClientException"), "UnrecognizedClientException"),
        (failure("InvalidSignatureException", 403), "InvalidSignatureException"),
        (failure("ValidationException"), "ValidationException"),
        (failure("IdempotentParameterMismatchException"), "IdempotentParameterMismatchException"),
        (cancelled("None", "ValidationError"), "ValidationError"),
    ],
)
def test_what_will_never_work_is_told_at_once(connected: Connecting, refusal: Act, code: str) -> None:
    with a_peer(refusal) as peer, pytest.raises(Rejected) as caught:
        connected(peer.endpoint).call("GetItem", {})

    assert str(caught.value) == f"DynamoDB refuses GetItem: {code}: what it says"
    assert (caught.value.code, caught.value.retry_after) == (code, 30)
    assert len(peer.asked) == 1


@pytest.mark.parametrize(("message", "said"), [({"Message": "what it says"}, "what it says"), ({}, "")])
def test_a_refusal_may_spell_its_message_otherwise_or_have_none(
    connected: Connecting, message: dict[str, str], said: str
) -> None:
    refusal = answer({"__type": "com.amazon.coral.service#UnknownOperationException"} | message, 400)
    with a_peer(refusal) as peer, pytest.raises(Rejected) as caught:
        connected(peer.endpoint).call("GetItem", {})

    assert str(caught.value) == f"DynamoDB refuses GetItem: UnknownOperationException: {said}"


@pytest.mark.parametrize(
    "condition",
    [
        failure("ConditionalCheckFailedException", Item={"version": {"N": "7"}}),
        cancelled("None", "ConditionalCheckFailed"),
        cancelled("TransactionConflict", "ConditionalCheckFailed"),
    ],
)
@pytest.mark.parametrize(
    ("before", "is_doubtful"),
    [((), False), ((THROTTLED,), False), ((reset,), True), ((LATE, THROTTLED), True)],
    ids=["at first", "after throttling", "after a lost answer", "after both"],
)
def test_a_condition_that_fails_is_told_with_whether_an_earlier_try_may_have_been_done(
    connected: Connecting, condition: Act, before: tuple[Act, ...], is_doubtful: bool
) -> None:
    with a_peer(*before, condition) as peer, pytest.raises(Failed) as caught:
        connected(peer.endpoint, **patience(*before)).call("PutItem", {})

    assert str(caught.value) == "a condition did not hold"
    assert caught.value.is_doubtful is is_doubtful
    assert len(peer.asked) == len(before) + 1


@pytest.mark.parametrize("trouble", [*PASSING.values(), *LOST.values()], ids=[*PASSING, *LOST])
def test_doubt_is_left_by_what_may_have_been_done_alone(connected: Connecting, trouble: Act) -> None:
    with a_peer(trouble, failure("ConditionalCheckFailedException")) as peer, pytest.raises(Failed) as caught:
        connected(peer.endpoint, **patience(trouble)).call("PutItem", {})

    assert caught.value.is_doubtful is (trouble in LOST.values())


def test_who_cannot_be_found_or_does_not_listen_is_unreachable(connected: Connecting) -> None:
    with a_peer(answer({})) as peer:
        pass

    for endpoint in (peer.endpoint, "http://no-such-host.invalid"):
        with pytest.raises(Unreachable):
            connected(endpoint, budget_seconds=0.3).call("GetItem", {})


def test_what_could_not_be_sent_leaves_no_doubt(connected: Connecting) -> None:
    with a_peer(failure("ConditionalCheckFailedException")) as peer:
        connection = connected("http://127.0.0.1:1")
        there = connected(peer.endpoint)

        def listens_at_last(seconds: float) -> None:
            connection._url = there._url

        connection._sleep = listens_at_last
        with pytest.raises(Failed) as caught:
            connection.call("PutItem", {})

    assert caught.value.is_doubtful is False


def test_credentials_that_expire_are_asked_for_at_each_try(connected: Connecting) -> None:
    given = iter(Credentials(f"AKID{number}", "hush") for number in range(9))
    with a_peer(THROTTLED, answer({})) as peer:
        connected(peer.endpoint, credentials=lambda: next(given)).call("GetItem", {})

    assert [asked.headers["authorization"][28:33] for asked in peer.asked] == ["AKID0", "AKID1"]


def test_who_fails_half_way_leaves_no_connection_open(connected: Connecting) -> None:
    def none() -> Credentials:
        raise LookupError

    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = connected(f"http://127.0.0.1:{listener.getsockname()[1]}", credentials=none)
        with pytest.raises(LookupError) as caught:
            connection.call("GetItem", {})
        with listener.accept()[0] as wire:
            wire.settimeout(1)
            assert wire.recv(1) == b""

    assert caught.tb is not None  # it keeps what was at hand, so that nothing is closed by being forgotten


def test_no_secret_is_told_or_logged(connected: Connecting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    for trouble in [*PASSING.values(), *LOST.values(), failure("UnrecognizedClientException")]:
        with a_peer(trouble) as peer, pytest.raises(Unreachable) as caught:
            connected(peer.endpoint, budget_seconds=0.2, **patience(trouble)).call("GetItem", {"Key": "hush-key"})
        said += f"{caught.value!r} {caught.value.__cause__!r}"

    assert "hush" not in said + caplog.text


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("us-west-1", "https://dynamodb.us-west-1.amazonaws.com"),
        ("us-gov-east-1", "https://dynamodb.us-gov-east-1.amazonaws.com"),
        ("cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_each_region_has_its_endpoint(region: str, endpoint: str) -> None:
    assert endpoint_of(region) == endpoint
    assert Connection(CREDENTIALS, region)._url.geturl() == endpoint


def test_whom_to_trust_is_read_once_for_all_connections(connected: Connecting, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def reading() -> ssl.SSLContext:
        made.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", reading)
    connection = connected("https://127.0.0.1:1", budget_seconds=0.5)
    with pytest.raises(Unreachable, match="refused"):
        connection.call("GetItem", {})

    assert connection.retries > 0
    assert len(made) == 1


CERTIFY = """
import sys, datetime, ipaddress
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
now = datetime.datetime.now(datetime.timezone.utc)
made = (
    x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
)
pem = serialization.Encoding.PEM
with open(sys.argv[1], "wb") as file:
    file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    file.write(made.public_bytes(pem))
"""


@pytest.fixture
def encrypting(tmp_path: Path) -> Callable[[Any], Any]:
    """A server's side of TLS, with a certificate in `tmp_path / "peer.pem"` that no authority has signed."""
    file = tmp_path / "peer.pem"
    subprocess.run([ENVIRONMENT / "python", "-c", CERTIFY, file], check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return lambda wire: context.wrap_socket(wire, server_side=True)


@pytest.mark.slow
def test_only_who_proves_its_name_is_talked_to(
    connected: Connecting, encrypting: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_peer(answer({"Item": "it"}), wrap=encrypting) as peer:
        endpoint = peer.endpoint.replace("http:", "https:")
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            connected(endpoint, budget_seconds=0.2).call("GetItem", {})
        assert peer.asked == []

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "peer.pem"))
        connection = connected(endpoint)
        for _ in range(2):
            assert connection.call("GetItem", {}) == {"Item": "it"}
        assert len(peer.asked) == 2
        assert connection.retries == 0
