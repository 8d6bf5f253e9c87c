"""A proxy before the emulator that notes which function makes which call on AWS.

It says of each call that it came over TLS: our policies refuse any other.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from tests.aws.emulator import Emulator, emulating, free_port

NOT_FORWARDED = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})
INNER = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
REST = [
    ("scheduler", "POST", r"/schedules/[^/]+", "CreateSchedule"),
    ("scheduler", "PUT", r"/schedules/[^/]+", "UpdateSchedule"),
    ("scheduler", "DELETE", r"/schedules/[^/]+", "DeleteSchedule"),
    ("lambda", "POST", r"/2015-03-31/functions/.+/invocations", "InvokeFunction"),
    ("ses", "POST", r"/v2/email/outbound-emails", "SendEmail"),
]
"""The REST calls that we know: service, method, path, and the IAM action that it needs."""


class Called(NamedTuple):
    """A call: the function's name for itself (`AWS_SDK_UA_APP_ID`), the IAM action, and what it was about: a table,
    an index, a queue, a topic, a schedule or a function, as the call names it."""

    by: str
    action: str
    target: str


class Recorder:
    """What was called. `port` is where the proxy listens."""

    def __init__(self) -> None:
        self.calls: set[Called] = set()
        self.port = 0
        self._lock = threading.Lock()

    def note(self, headers: dict[str, str], method: str, path: str, body: bytes) -> None:
        found = _calls(headers, method, path, body)
        with self._lock:
            self.calls |= found

    def actions(self) -> dict[str, set[str]]:
        """The actions of each caller."""
        found: dict[str, set[str]] = {}
        for call in self.calls:
            found.setdefault(call.by, set()).add(call.action)
        return found


@contextmanager
def guarding(folder: Path) -> Iterator[tuple[Emulator, Recorder]]:
    """An emulator that enforces IAM, behind a recorder: what it is asked, by us and by functions, goes through it."""
    recorder, port = Recorder(), free_port()
    with recording(recorder, port):
        through = f"http://127.0.0.1:{recorder.port}"
        with emulating(folder, port=port, AUTH="true", AWS_ENDPOINT_URL=through) as emulator:
            yield replace(emulator, endpoint=through), recorder


class _Server(ThreadingHTTPServer):
    """Functions are stopped in the midst of a conversation when the emulator is: nothing to tell of."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def recording(recorder: Recorder, emulator_port: int) -> Iterator[None]:
    """Forward to the emulator, until the block ends."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.note(headers, self.command, self.path, body)
            headers["x-forwarded-proto"] = "https"
            onward = HTTPConnection("127.0.0.1", emulator_port, timeout=60)
            try:
                onward.request(self.command, self.path, body, headers)
                answer = onward.getresponse()
                content = answer.read()
            finally:
                onward.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in NOT_FORWARDED:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", recorder.port), Proxy)
    recorder.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _calls(headers: dict[str, str], method: str, path: str, body: bytes) -> set[Called]:
    app = re.search(r"\bapp/(\S+)", headers.get("user-agent", ""))
    by = app[1] if app else ""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    service = scope[1] if scope else ""
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    if service == "dynamodb":
        return set(_of_dynamodb(by, target, msgspec.json.decode(body)))
    if target:
        about = msgspec.json.decode(body)
        return {Called(by, f"{service}:{target}", str(about.get("QueueUrl", "")))}
    route = unquote(urlsplit(path).path)
    for name, verb, pattern, action in REST:
        if (name, verb) == (service, method) and re.fullmatch(pattern, route):
            return {Called(by, f"{service}:{action}", route)}
    form = parse_qs(body.decode("utf-8", "replace"))
    action = form.get("Action", [f"{method} {route}"])[0]
    return {Called(by, f"{service}:{action}", form.get("TopicArn", form.get("QueueUrl", [""]))[0])}


def _of_dynamodb(by: str, operation: str, payload: dict[str, object]) -> Iterator[Called]:
    form = msgspec.convert(payload, _Payload)
    if operation == "TransactWriteItems":
        for item in form.TransactItems:
            for kind, inner in item.items():
                yield Called(by, f"dynamodb:{INNER[kind]}", inner.TableName)
    elif operation == "BatchGetItem":
        yield from (Called(by, "dynamodb:BatchGetItem", table) for table in form.RequestItems)
    else:
        about = f"{form.TableName}/index/{form.IndexName}" if form.IndexName else form.TableName
        yield Called(by, f"dynamodb:{operation}", about)


class _Inner(msgspec.Struct):
    TableName: str


class _Payload(msgspec.Struct):
    TableName: str = ""
    IndexName: str = ""
    TransactItems: list[dict[str, _Inner]] = []
    RequestItems: dict[str, object] = {}
