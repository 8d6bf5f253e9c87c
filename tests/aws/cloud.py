"""A command line whose AWS is the emulator, a small template for it, and an AWS that always gives one answer."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from slotkeeper.cli.main import cli
from tests.aws.emulator import REGION, Emulator

TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "DeletionPolicy": "Retain",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "part", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "part", "KeyType": "HASH"}],
    },
}
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Seconds"}}}


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    """A queue, a table that is retained, and more."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {
            "Seconds": {"Type": "Number", "Default": "30"},
            "Mode": {"Type": "String", "Default": "small", "AllowedValues": ["small", "large"]},
        },
        "Resources": {"Queue": QUEUE, "Table": TABLE} | resources,
        "Outputs": {"TableName": {"Value": {"Ref": "Table"}}},
    }


@dataclass
class Cloud:
    """`cloud("deploy", "--yes")` runs a command of `slotkeeper aws` on a stack of its own name."""

    emulator: Emulator
    folder: Path
    stack: str

    def __call__(self, *args: str, code: int = 0, given: str | None = None) -> Result:
        """Run the command and insist on its exit code."""
        result = CliRunner().invoke(cli, ["aws", args[0], "--stack", self.stack, *args[1:]], input=given)
        assert result.exit_code == code, f"{args}: {result.output}\n{result.exception!r}"
        assert "Traceback" not in result.output
        return result

    def deploy(self, what: Mapping[str, Any], *args: str, code: int = 0, given: str | None = None) -> Result:
        """Deploy this template; `--yes` unless an answer is given."""
        path = self.folder / "template.json"
        path.write_text(json.dumps(what))
        sure = () if given is not None else ("--yes",)
        return self("deploy", "--template", str(path), *sure, *args, code=code, given=given)

    def facts(self) -> dict[str, Any]:
        """What CloudFormation says of the stack."""
        facts: dict[str, Any] = self.emulator.client("cloudformation").describe_stacks(StackName=self.stack)
        found: dict[str, Any] = facts["Stacks"][0]
        return found

    def parameters(self) -> dict[str, str]:
        """The parameters that the stack has."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.facts()["Parameters"]}

    def change_sets(self) -> list[str]:
        """Change sets that wait to be carried out."""
        found = self.emulator.client("cloudformation").list_change_sets(StackName=self.stack)["Summaries"]
        return [each["ChangeSetName"] for each in found if each["ExecutionStatus"] == "AVAILABLE"]

    def is_there(self) -> bool:
        """Whether there is a stack of that name, in any state."""
        found = self.emulator.client("cloudformation").describe_stacks()["Stacks"]
        return self.stack in {each["StackName"] for each in found}


def variables(endpoint: str) -> dict[str, str]:
    """What AWS's tools read from the environment."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
    }


@contextmanager
def answering(
    status: int, body: str, note: Callable[[str, Message], None] = lambda call, headers: None, of_head: int = 0
) -> Iterator[str]:
    """An AWS that answers every call with `status`, HEAD with `of_head` if given, until the block ends; yields its
    address. `note` is told of each call and its headers."""

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            note(f"{self.command} {self.path}", self.headers)
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response((of_head or status) if self.command == "HEAD" else status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
