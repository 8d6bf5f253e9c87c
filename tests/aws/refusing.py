"""An endpoint that answers every call to AWS in one way: how real AWS refuses cannot be had from an emulator."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config

XML = """<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"""


@contextmanager
def refusing(service: str, status: int, code: str, message: str = "no") -> Iterator[Any]:
    """A client of boto3 for the service whose every call fails so; it tries once."""
    is_xml = service == "sns"
    body = XML.format(code=code, message=message) if is_xml else json.dumps({"message": message, "__type": code})

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("x-amzn-errortype", code)
            self.send_header("content-type", "text/xml" if is_xml else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_PUT = do_DELETE = do_GET = _answer  # noqa: N815 - http.server's names

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield a_client(service, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_client(service: str, endpoint: str) -> Any:
    """A client of boto3 that tries once, and not for long."""
    return boto3.client(
        service,
        region_name="us-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2),
    )
