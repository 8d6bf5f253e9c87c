"""A DynamoDB that checks nothing: a proxy that takes the conditions out of every write on its way to the real one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONDITIONAL = (
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
)
SECONDS = 60


def without_conditions(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The call without its conditions: a write by PutItem or TransactWriteItems; any other is as it was.

    What is only checked is left out. A write by an expression would lose its names as well: our store makes none.
    """
    if operation == "PutItem":
        return _bare(payload)
    if operation != "TransactWriteItems":
        return payload
    actions = [{kind: _bare(what)} for each in payload["TransactItems"] for kind, what in each.items()]
    return {**payload, "TransactItems": [each for each in actions if "ConditionCheck" not in each]}


def _bare(action: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in action.items() if name not in CONDITIONAL}


@contextmanager
def unconditional(upstream: str) -> Iterator[str]:
    """Run the proxy before `upstream`, such as `127.0.0.1:4566`, until the block ends; yields its address."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
            body = json.dumps(without_conditions(operation, json.loads(body))).encode()
            headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection = HTTPConnection(upstream, timeout=SECONDS)
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers.get("content-type", ""))
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
