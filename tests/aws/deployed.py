"""The service as it stands on AWS: our template and zip, deployed into the emulator, asked through the gateway."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from slotkeeper.aws.packing import digest, our_files, pack
from slotkeeper.aws.wheels import LOCK, Architecture
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials
from tests.aws.allowances import give_allowances
from tests.aws.emulator import REGION, ROOT, Emulator
from tests.aws.wheelhouse import KEPT, wheels_for
from tests.e2e.browsing import Raw
from tests.e2e.journeys import Mail
from tests.serving import Reply

TEMPLATE = ROOT / "src" / "slotkeeper" / "aws" / "template.json"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
FROM_ADDRESS = "desk@example.com"
IDLE_SECONDS = 2.0
UNLIMITED = {"RequestsPerSecond": "5000", "Burst": "5000", "DailyQuota": "10000000"}
"""The tests ask more in a minute than people do; the limits have tests of their own."""


@dataclass
class Deployment:
    """A stack that runs, as a `journeys.Home`: one business, and keys that may do everything."""

    emulator: Emulator
    outputs: dict[str, str]
    gateway_key: str
    key: str = ""

    def __post_init__(self) -> None:
        self._mine = threading.local()
        self._opened: list[HTTPConnection] = []
        url = urlsplit(self.emulator.endpoint)
        self._peer = url.netloc
        self._base = f"/restapis/{self.outputs['ApiId']}/{self.outputs['StageName']}/_user_request_"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Ask through the gateway. Headers that are given as empty are left out."""
        sent = {"x-api-key": self.gateway_key, "authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content = None
        if body is not None:
            content, sent = json.dumps(body).encode(), sent | {"content-type": "application/json"}
        sent = {name: text for name, text in sent.items() if text}
        connection = self._connection()
        connection.request(method, self._base + path, content, sent)
        response = connection.getresponse()
        answered = response.read()
        media = response.headers.get("content-type", "")
        is_json = "json" in media and bool(answered)
        return Reply(response.status, media, json.loads(answered) if is_json else answered.decode() or None)

    def mails(self) -> list[Mail]:
        """What SES was given to send."""
        with urlopen(f"{self.emulator.endpoint}/_ministack/ses/messages", timeout=30) as answer:
            accounts = json.loads(answer.read())["messages"]
        mails = [mail for mails in accounts.values() for mail in mails]
        return [Mail(to, mail["Subject"], mail["BodyText"]) for mail in mails for to in mail["To"]]

    @property
    def base(self) -> str:
        """What the addresses of pages begin with: there is no domain, so it is the stage."""
        return f"/{self.outputs['StageName']}"

    def fetch(self, method: str, target: str, body: bytes = b"", **headers: str) -> Raw:
        """Ask as a browser does: at the API's own name, as AWS calls it."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        sent["host"] = f"{self.outputs['ApiId']}.execute-api.localhost:{self._peer.rpartition(':')[2]}"
        connection = self._connection()
        connection.request(method, target, body or None, sent)
        response = connection.getresponse()
        return Raw(response.status, response.getheaders(), response.read())

    @cached_property
    def store(self) -> DynamoStore:
        """The table, without any of what stands before it."""
        credentials = Credentials(self.emulator.key_id, self.emulator.secret)
        connection = Connection(credentials, REGION, endpoint=self.emulator.endpoint)
        return DynamoStore(connection, self.outputs["TableName"])

    def command(self, *args: str, typed: str = "") -> str:
        """What the command line says, at work on the table. Raises `AssertionError` when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "slotkeeper", "--database", f"dynamodb:{self.outputs['TableName']}", *args],
            cwd=self.emulator.folder,
            env={
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": self.emulator.endpoint,
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": self.emulator.key_id,
                "AWS_SECRET_ACCESS_KEY": self.emulator.secret,
            },
            check=False,
            capture_output=True,
            text=True,
            input=typed,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @cached_property
    def ids(self) -> dict[str, str]:
        """What each resource of the stack is called, by its logical id."""
        pages = self.emulator.client("cloudformation").get_paginator("list_stack_resources")
        found = [each for page in pages.paginate(StackName="slotkeeper") for each in page["StackResourceSummaries"]]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def close(self) -> None:
        """Close every connection."""
        for connection in self._opened:
            connection.close()
        if "store" in self.__dict__:
            self.store.close()

    def _connection(self) -> HTTPConnection:
        """One for each thread, closed first when it has been idle: the emulator may be about to close it as well."""
        found: HTTPConnection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = HTTPConnection(self._peer, timeout=60)
            self._opened.append(found)
        elif time.monotonic() - self._mine.used > IDLE_SECONDS:
            found.close()
        self._mine.used = time.monotonic()
        return found


def the_zip() -> Path:
    """The package of all functions for this machine, which runs them in the emulator. It is made once of the same
    sources and kept, however many tests and processes ask for it."""
    made_of = digest({**dict(our_files()), "lock": LOCK.read_bytes()})
    path = KEPT / f"slotkeeper-{PYTHON}-{made_of[:16]}.zip"
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob("slotkeeper-*.zip"):
            old.unlink(missing_ok=True)
        with TemporaryDirectory(dir=KEPT) as folder:
            machine: Architecture = "x86_64" if os.uname().machine == "x86_64" else "arm64"
            pack(Path(folder) / "new.zip", machine, PYTHON, wheels=wheels_for(machine, PYTHON))
            (Path(folder) / "new.zip").replace(path)
    return path


@contextmanager
def deployed(
    emulator: Emulator, zip_path: Path, *, is_guarded: bool = False, **parameters: str
) -> Iterator[Deployment]:
    """Deploy the template as it is and make a business. `is_guarded`: the emulator enforces IAM."""
    code = emulator.client("s3")
    code.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    code.put_object(Bucket="code", Key="slotkeeper.zip", Body=zip_path.read_bytes())
    code.put_object(Bucket="code", Key="template.json", Body=TEMPLATE.read_bytes())
    emulator.client("sesv2").create_email_identity(EmailIdentity=FROM_ADDRESS)
    values = {
        "CodeBucket": "code",
        "CodeKey": "slotkeeper.zip",
        "PythonRuntime": f"python{PYTHON}",
        "Architecture": "x86_64",
        "FromAddress": FROM_ADDRESS,
        "SampleTraces": "false",  # the emulator does not know X-Ray's rules
        "VisitorsMayBook": "true",
        "StaffPages": "true",
        **UNLIMITED,
        **parameters,
    }
    stacks = emulator.client("cloudformation")
    stacks.create_stack(
        StackName="slotkeeper",
        TemplateURL=f"{emulator.endpoint}/code/template.json",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    stack = _settled(stacks)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    outputs.setdefault("StageName", values.get("StageName", "v1"))
    gateway_key = ""
    if outputs.get("ApiKeyId"):
        gateway_key = emulator.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    made = Deployment(emulator, outputs, gateway_key)
    try:
        if is_guarded:
            give_allowances(emulator, made.ids)
        made.key = json.loads(made.command("init", "Clinic", "--zone", "Europe/Berlin", "--json"))["secret"]
        yield made
    finally:
        made.close()


def _settled(stacks: Any) -> Any:
    """The stack, once it is made. Raises `RuntimeError` with the first reason when it is not."""
    stacks.get_waiter("stack_create_complete").config.delay = 1
    try:
        stacks.get_waiter("stack_create_complete").wait(StackName="slotkeeper", WaiterConfig={"Delay": 1})
    except Exception as error:
        events = stacks.describe_stack_events(StackName="slotkeeper")["StackEvents"]
        reasons = [f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason')}" for each in events]
        raise RuntimeError("the stack was not made:\n" + "\n".join(reasons[:20])) from error
    return stacks.describe_stacks(StackName="slotkeeper")["Stacks"][0]
