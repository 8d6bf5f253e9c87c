"""The template in the emulator: made, changed, and taken away, with functions that only say that they were called."""

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from slotkeeper.aws.stack.functions import FUNCTIONS
from tests.aws.emulator import REGION, Emulator
from tests.aws.evaluated import TEMPLATE

pytestmark = pytest.mark.slow

BUCKET, NAME = "template-code", "template"
STUB = 'def handler(event, context):\n    return {"statusCode": 200, "body": "called"}\n'
PATIENCE_SECONDS = 60
KEY = "x-api-key"


class Answer(NamedTuple):
    status: int
    media: str
    body: str

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


class Stack:
    """The stack, and the API that it makes."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._cloud = emulator.client("cloudformation")

    def make(self, **parameters: str) -> None:
        self._cloud.create_stack(**self._wanted(parameters))
        assert self._settled() == "CREATE_COMPLETE"

    def change(self, **parameters: str) -> None:
        self._cloud.update_stack(**self._wanted(parameters))
        assert self._settled() == "UPDATE_COMPLETE"

    def take_away(self) -> None:
        """Delete it; nothing of it can be described afterwards."""
        self._cloud.delete_stack(StackName=NAME)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self._state()
            except ClientError:
                return
            time.sleep(0.1)
        raise AssertionError(self._state())

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self._facts()["Outputs"]}

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        base = f"{self._emulator.endpoint}/restapis/{self.outputs()['ApiId']}/v1/_user_request_"
        try:
            with urlopen(Request(base + path, method=method, headers=dict(headers or {})), timeout=30) as answer:
                return Answer(answer.status, answer.headers["content-type"], answer.read().decode())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers["content-type"], error.read().decode())

    def key(self) -> dict[str, str]:
        """The headers with the key of the usage plan."""
        keys = self._emulator.client("apigateway")
        return {KEY: keys.get_api_key(apiKey=self.outputs()["ApiKeyId"], includeValue=True)["value"]}

    def _wanted(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        values = {"CodeBucket": BUCKET, "CodeKey": "code.zip", "SampleTraces": "false", **parameters}
        return {
            "StackName": NAME,
            "TemplateURL": f"{self._emulator.endpoint}/{BUCKET}/template.json",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }

    def _facts(self) -> dict[str, Any]:
        found: dict[str, Any] = self._cloud.describe_stacks(StackName=NAME)["Stacks"][0]
        return found

    def _state(self) -> str:
        return str(self._facts()["StackStatus"])

    def _settled(self) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._state().endswith("IN_PROGRESS") and time.monotonic() < deadline:
            time.sleep(0.1)
        return self._state()


@pytest.fixture(scope="module")
def upload(emulator: Emulator) -> Emulator:
    """The emulator, with the template and a package of functions that only answer."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("slotkeeper/__init__.py", "slotkeeper/aws/__init__.py"):
            archive.writestr(name, "")
        for function in FUNCTIONS.values():
            archive.writestr(f"slotkeeper/aws/{function.module}.py", STUB)
    files = emulator.client("s3")
    files.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    files.put_object(Bucket=BUCKET, Key="code.zip", Body=packed.getvalue())
    files.put_object(Bucket=BUCKET, Key="template.json", Body=TEMPLATE.read_bytes())
    return emulator


@pytest.fixture
def stack(upload: Emulator) -> Iterator[Stack]:
    """A stack with default parameters."""
    made = Stack(upload)
    made.make()
    yield made
    made.take_away()


def test_by_default_only_health_is_open_and_refusals_are_problems(stack: Stack) -> None:
    assert stack.ask("GET", "/health") == (200, "application/json", "called")
    for path in ("/appointments", "/appointments/apt_1/reminders", "/slots", "/public/clinic", "/ready"):
        refused = stack.ask("GET", path)
        assert (refused.status, refused.media, refused.code) == (403, "application/problem+json", "forbidden")
        assert stack.ask("GET", path, stack.key()).status == 200
    unknown = stack.ask("GET", "/nowhere/at/all", stack.key())
    assert (unknown.status, unknown.code) == (404, "no-route")


def test_changed_parameters_change_what_the_stage_shows(stack: Stack) -> None:
    before = stack.ask("GET", "/public/clinic/services"), stack.ask("GET", "/clinic"), stack.ask("OPTIONS", "/slots")

    stack.change(VisitorsMayBook="true", AllowedOrigin="https://app.example.com")
    after = stack.ask("GET", "/public/clinic/services"), stack.ask("GET", "/clinic"), stack.ask("OPTIONS", "/slots")

    assert [each.status for each in before] == [403, 404, 403]
    assert [each.status for each in after] == [200, 200, 204]
    assert stack.ask("GET", "/slots").status == 403


def test_with_cognito_a_token_is_asked_for_in_place_of_a_key(stack: Stack) -> None:
    stack.change(Authentication="Cognito")

    refused = stack.ask("GET", "/slots")

    assert (refused.status, refused.code) == (401, "unauthenticated")
    assert stack.outputs().keys() >= {"UserPoolId", "UserPoolClientId"}
    assert "ApiKeyId" not in stack.outputs()
    assert stack.ask("GET", "/health").status == 200


def test_only_what_holds_data_or_serves_others_is_left_of_it(upload: Emulator) -> None:
    stack = Stack(upload)
    stack.make()
    table = stack.outputs()["TableName"]

    stack.take_away()

    roles = [each["RoleName"] for each in upload.client("iam").list_roles()["Roles"]]
    functions = [each["FunctionName"] for each in upload.client("lambda").list_functions()["Functions"]]
    assert table in upload.client("dynamodb").list_tables()["TableNames"]
    assert not [name for name in functions if name.startswith(f"{NAME}-")]
    assert {name.split("-")[1] for name in roles if name.startswith(f"{NAME}-")} == {"ApiLogRole"}
    assert not upload.client("sqs").list_queues(QueueNamePrefix=NAME).get("QueueUrls")
    assert not upload.client("cloudwatch").describe_alarms(AlarmNamePrefix=NAME)["MetricAlarms"]


@pytest.mark.parametrize(
    ("parameters", "missing"),
    [
        ({"UseVpc": "true"}, "VpcId must be given too"),
        ({"DomainName": "book.example.com"}, "CertificateArn must be given too"),
        ({"OwnKey": "true", "ReplicaRegion": "us-east-2"}, "ReplicaKeyArn must be given too"),
    ],
)
def test_what_needs_another_parameter_is_refused_before_anything_is_made(
    upload: Emulator, parameters: dict[str, str], missing: str
) -> None:
    with pytest.raises(ClientError, match=missing):
        Stack(upload).make(**parameters)
