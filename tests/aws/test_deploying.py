"""`slotkeeper aws`: a stack is made, changed and deleted, and what goes wrong is told in a few lines."""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from slotkeeper.aws.deploying import Change, Event, Plan, advice, check_ready, failure
from slotkeeper.aws.hindered import Hindered
from slotkeeper.aws.parameters import chosen, pairs
from slotkeeper.cli.main import cli
from slotkeeper.cli.stack import show
from slotkeeper.core.errors import Invalid
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
KEY = {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": "gateway-" + "k" * 20}}
EXPIRED = """<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>
<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""
FORBIDDEN = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>User: x is not authorized to perform: sts:GetCallerIdentity</Message></Error></ErrorResponse>"""


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


@pytest.fixture
def cloud(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A command line whose AWS is the emulator."""
    for name, value in variables(emulator.endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Cloud(emulator, tmp_path, f"stack-{uuid4().hex[:8]}")


def variables(endpoint: str) -> dict[str, str]:
    """What AWS's tools read from the environment."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
    }


def test_a_first_deploy_shows_what_is_made_and_says_what_comes_next(cloud: Cloud) -> None:
    said = cloud.deploy(template(), given="y\n").stdout

    table = cloud.facts()["Outputs"][0]["OutputValue"]
    assert "Add" in said
    assert "AWS::SQS::Queue" in said
    assert f"Change the stack {cloud.stack} in {REGION}?" in said
    assert f"--database dynamodb:{table} init" in said
    assert cloud.facts()["StackStatus"] == "CREATE_COMPLETE"
    assert json.loads(cloud("outputs", "--json").stdout) == {"TableName": table}
    assert table in cloud("outputs").stdout


def test_an_update_changes_only_what_is_asked_and_gives_no_first_steps(cloud: Cloud) -> None:
    cloud.deploy(template(), "--parameter", "Seconds=40", "--parameter", "Mode=large")

    said = cloud.deploy(template(), "--parameter", "Seconds=50").stdout

    assert "Modify" in said
    assert "Table" not in said.partition("Stack")[0]
    assert "init" not in said
    assert cloud.parameters() == {"Seconds": "50", "Mode": "large"}


def test_tags_are_added_to_those_that_are_there(cloud: Cloud) -> None:
    cloud.deploy(template(), "--tag", "team=desk")
    cloud.deploy(template(), "--tag", "cost=7")

    assert {each["Key"]: each["Value"] for each in cloud.facts()["Tags"]} == {"team": "desk", "cost": "7"}


def test_a_deploy_that_forgot_what_was_set_would_be_seen() -> None:
    kept = {"Seconds": "40", "Mode": "large"}

    assert chosen(template(), {}, kept) != chosen(template(), {}, ())


def test_when_nothing_changes_it_says_so_and_leaves_nothing_behind(cloud: Cloud) -> None:
    cloud.deploy(template())

    assert "Nothing changes" in cloud.deploy(template()).stdout
    assert cloud.change_sets() == []


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_made(cloud: Cloud, answer: str) -> None:
    said = cloud.deploy(template(), given=answer, code=1).stdout

    assert "Nothing was changed" in said
    assert not cloud.is_there()


def test_without_a_yes_a_stack_stays_as_it_is(cloud: Cloud) -> None:
    cloud.deploy(template())

    cloud.deploy(template(), "--parameter", "Seconds=50", given="n\n", code=1)

    assert cloud.parameters()["Seconds"] == "30"
    assert cloud.change_sets() == []


def test_what_is_replaced_or_removed_is_named_once_more(cloud: Cloud) -> None:
    cloud.deploy(template(Other=QUEUE))
    renamed = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{cloud.stack}-named"}}

    said = cloud.deploy(template(Queue=renamed), given="n\n", code=1).stdout

    assert "What these hold now goes, or may go: " in said
    assert {"Queue", "Other"} <= set(said.partition("may go: ")[2].split("\n")[0].replace(",", "").split())


@pytest.mark.slow
def test_a_first_deploy_that_fails_tells_the_first_reason_and_how_to_begin_again(cloud: Cloud) -> None:
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": cloud.stack}}
    cloud.emulator.client("events").create_event_bus(Name=cloud.stack)

    said = cloud.deploy(template(Bus=bus), code=1).stderr

    assert "Bus (AWS::Events::EventBus)" in said
    assert "already exists" in said
    assert "use another name" in said
    again = cloud.deploy(template(), code=1).stderr
    assert "ROLLBACK_COMPLETE" in again
    assert f"slotkeeper aws delete --stack {cloud.stack}" in again
    cloud("delete", "--confirm", cloud.stack)
    cloud.deploy(template())


@pytest.mark.slow
def test_an_update_that_fails_goes_back_to_what_was(cloud: Cloud) -> None:
    cloud.deploy(template())
    cloud.emulator.client("events").create_event_bus(Name=cloud.stack)
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": cloud.stack}}

    said = cloud.deploy(template(Bus=bus), code=1).stderr

    assert "Bus (AWS::Events::EventBus)" in said
    assert "as it was before" in said
    assert "UPDATE_ROLLBACK_COMPLETE" in cloud.facts()["StackStatus"]
    cloud.deploy(template(), "--parameter", "Seconds=50")


def test_a_parameter_that_is_not_there_is_answered_with_the_nearest(cloud: Cloud) -> None:
    said = cloud.deploy(template(), "--parameter", "Second=1", code=2).stderr

    assert "no parameter 'Second': did you mean Seconds?" in said
    assert not cloud.is_there()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Mode=huge", "Mode may be small, large, not 'huge'"),
        ("mode=small", "did you mean Mode?"),
        ("Qqqqq=1", "there are Mode, Needed, Seconds, Word"),
        ("Word=a b", "one word, please"),
        ("Mode=large", "--parameter Needed=..."),
    ],
)
def test_a_wrong_value_is_told_of_before_aws_is_asked(given: str, said: str) -> None:
    what = template()
    what["Parameters"] |= {
        "Needed": {"Type": "String"},
        "Word": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": "[a-z]*",
            "ConstraintDescription": "one word, please",
        },
    }

    with pytest.raises(Invalid) as caught:
        chosen(what, pairs([given]))
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["Mode", "=small", ""])
def test_a_parameter_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="write Name=Value"):
        pairs([text])


def test_a_value_may_be_empty_and_may_hold_equals_signs() -> None:
    assert pairs(["A=", "B=c=d", "B=e=f"]) == {"A": "", "B": "e=f"}


def test_deleting_names_what_is_kept_and_keeps_it(cloud: Cloud) -> None:
    cloud.deploy(template())
    table = json.loads(cloud("outputs", "--json").stdout)["TableName"]

    said = cloud("delete", given=f"{cloud.stack}\n").stdout

    assert f"Kept: Table, the AWS::DynamoDB::Table {table}" in said
    assert f"aws dynamodb delete-table --table-name {table}" in said
    assert "Queue" not in said
    assert table in cloud.emulator.client("dynamodb").list_tables()["TableNames"]
    assert "there is no stack" in cloud("outputs", code=1).stderr
    assert "there is no stack" in cloud("delete", code=1).stderr


def test_with_another_name_nothing_is_deleted(cloud: Cloud) -> None:
    cloud.deploy(template())

    assert "nothing was deleted" in cloud("delete", given="slotkeeper\n", code=2).stderr
    assert "nothing was deleted" in cloud("delete", "--confirm", "yes", code=2).stderr
    assert cloud.facts()["StackStatus"] == "CREATE_COMPLETE"


def test_a_protected_stack_is_not_deleted(cloud: Cloud) -> None:
    cloud.deploy(template())
    cloudformation = cloud.emulator.client("cloudformation")
    cloudformation.update_termination_protection(StackName=cloud.stack, EnableTerminationProtection=True)

    assert "is protected" in cloud("delete", "--confirm", cloud.stack, code=1).stderr
    assert cloud.is_there()


def test_the_gateways_key_is_shown_alone(cloud: Cloud) -> None:
    what = template(Key=KEY)
    what["Outputs"]["ApiKeyId"] = {"Value": {"Ref": "Key"}}
    said = cloud.deploy(what).stdout

    assert cloud("outputs", "--gateway-key").stdout.strip() == KEY["Properties"]["Value"]  # type: ignore[index] # a dict of dicts
    assert json.loads(cloud("outputs", "--gateway-key", "--json").stdout)["gatewayKey"].startswith("gateway-")
    assert "gateway-kkk" not in said + cloud("outputs").stdout
    assert "aws outputs --gateway-key" in said


def test_without_a_gateways_key_it_says_so(cloud: Cloud) -> None:
    cloud.deploy(template())

    assert "asks for no key" in cloud("outputs", "--gateway-key", code=1).stderr


@pytest.mark.slow
def test_the_code_lies_in_a_private_bucket_under_its_contents(cloud: Cloud) -> None:
    what = template()
    what["Parameters"] |= {name: {"Type": "String"} for name in ("CodeBucket", "CodeKey", "Architecture")}
    s3, bucket = cloud.emulator.client("s3"), f"code-{uuid4().hex[:8]}"

    said = cloud.deploy(what, "--bucket", bucket, "--architecture", "x86_64").stdout
    first = cloud.parameters()
    again = cloud.deploy(what, "--bucket", bucket).stdout

    assert f"Made the bucket {bucket}" in said
    assert "Made the bucket" not in again
    assert "Nothing changes" in again, "the same contents have the same key"
    assert (first["CodeBucket"], first["Architecture"]) == (bucket, "x86_64")
    assert s3.head_object(Bucket=bucket, Key=first["CodeKey"])["ContentLength"] > 1_000_000
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert "AES256" in json.dumps(s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"])
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 2, "one package and one template, however often they are deployed"


@pytest.mark.slow
def test_our_own_template_is_deployed_and_deleted_as_it_is(cloud: Cloud) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    said = cloud("deploy", "--yes", "--python", version, "--architecture", "x86_64").stdout
    again = cloud("deploy", "--yes").stdout
    made = json.loads(cloud("outputs", "--json").stdout)
    key = cloud("outputs", "--gateway-key").stdout.strip()
    gone = cloud("delete", "--confirm", cloud.stack).stdout

    assert {"ConflictDetector", "ReminderSender", "Planner", "Sweep"} <= set(re.findall(r"[A-Za-z]+", said))
    assert f"--database dynamodb:{made['TableName']} init" in said
    assert f"aws outputs --gateway-key --stack {cloud.stack}" in said
    assert f"{made['ApiUrl']}/services" in said
    assert "Nothing changes" in again
    assert len(key) >= 20
    assert f"Kept: AWS::DynamoDB::GlobalTable {made['TableName']}" in gone


@pytest.mark.parametrize("name", ["CodeKey", "CodeBucket", "Architecture", "PythonRuntime"])
def test_what_deploy_sets_itself_is_not_asked_for(cloud: Cloud, name: str) -> None:
    assert f"{name} follows from" in cloud.deploy(template(), "--parameter", f"{name}=x", code=2).stderr


def test_the_usual_bucket_is_named_for_account_and_region(cloud: Cloud) -> None:
    cloud.deploy(template())

    names = [each["Name"] for each in cloud.emulator.client("s3").list_buckets()["Buckets"]]
    assert f"slotkeeper-code-000000000000-{REGION}" in names


@pytest.mark.slow
def test_a_package_is_written_and_its_size_and_key_are_told(cloud: Cloud) -> None:
    run = CliRunner().invoke
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    said = run(cli, ["aws", "package", "--architecture", "x86_64", "--python", version])
    bucket = f"code-{uuid4().hex[:8]}"
    sources = run(cli, ["aws", "package", "--sources-only", "--output", "b.zip", "--bucket", bucket, "--json"])

    size = (cloud.folder / "slotkeeper-x86_64.zip").stat().st_size
    assert f"{size:,} bytes" in said.stdout, said.output
    assert "slotkeeper/" in said.stdout
    facts = json.loads(sources.stdout)
    assert facts["size"] == (cloud.folder / "b.zip").stat().st_size < size
    assert facts["architecture"] == "arm64"
    stored = cloud.emulator.client("s3").head_object(Bucket=bucket, Key=facts["key"])
    assert stored["ContentLength"] == facts["size"]


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"Resources": 1}'])
def test_what_is_no_template_is_told_of(cloud: Cloud, text: str) -> None:
    (cloud.folder / "t.json").write_text(text)

    assert "t.json is no" in cloud("deploy", "--template", "t.json", code=1).stderr
    assert "No such file" in cloud("deploy", "--template", "u.json", code=1).stderr


def test_a_template_that_aws_refuses_leaves_nothing(cloud: Cloud) -> None:
    what = template(Bad={"Type": "AWS::Nonsense::Thing"})

    assert "AWS refused" in cloud.deploy(what, code=1).stderr
    assert not cloud.is_there()


def test_without_boto3_it_says_how_to_get_it(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3.session", None)

    assert "pip install 'slotkeeper[aws]'" in cloud("outputs", code=1).stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "there are no AWS credentials"),
        ({"AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": ""}, "The config profile (nobody) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached"),
        ({"AWS_REGION": "no where"}, "region"),
    ],
)
def test_without_a_way_in_it_is_told_in_a_line(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in changed.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)

    told = cloud("outputs", code=1).stderr

    assert said in told
    assert len(told.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("body", "said"), [(EXPIRED, "the AWS credentials have expired"), (FORBIDDEN, "may not GetCallerIdentity")]
)
def test_credentials_that_aws_refuses_are_told_of(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    with answering(403, body) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint)

        assert said in cloud("outputs", code=1).stderr


def test_a_bucket_of_somebody_else_gets_no_code(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, "") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        said = cloud.deploy(template(), "--bucket", "theirs", code=1).stderr

    assert "the bucket theirs belongs to another account" in said
    assert "--bucket NAME" in said
    assert not cloud.is_there()


def test_every_call_on_a_bucket_that_is_there_says_whose_it_must_be(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners: dict[str, str] = {}

    def note(call: str, headers: Message) -> None:
        owners[call] = headers.get("x-amz-expected-bucket-owner", "")

    with answering(200, "", note, of_head=404) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        cloud.deploy(template(), "--bucket", "ours", code=1)

    assert owners.pop("PUT /ours") == "", "nobody can own what is being made"
    assert len(owners) >= 7, f"head twice, four settings, one upload: {owners}"
    assert set(owners.values()) == {"000000000000"}


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


@pytest.mark.parametrize("state", ["", "REVIEW_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_at_rest_can_be_changed(state: str) -> None:
    check_ready("x", state)


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        ("UPDATE_IN_PROGRESS", "Wait until it is done"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Wait until it is done"),
        ("DELETE_IN_PROGRESS", "Wait until it is done"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name x"),
        ("ROLLBACK_COMPLETE", "slotkeeper aws delete --stack x"),
        ("ROLLBACK_FAILED", "slotkeeper aws delete --stack x"),
        ("CREATE_FAILED", "slotkeeper aws delete --stack x"),
        ("DELETE_FAILED", "slotkeeper aws delete --stack x"),
    ],
)
def test_a_stack_that_can_take_no_change_is_told_of_with_what_to_do(state: str, hint: str) -> None:
    with pytest.raises(Hindered) as caught:
        check_ready("x", state)
    assert state in str(caught.value)
    assert hint in caught.value.hint


def event(id: str, status: str, reason: str = "", *, is_of_stack: bool = False) -> Event:
    """Something that happened to a resource."""
    kind = "AWS::CloudFormation::Stack" if is_of_stack else "AWS::SQS::Queue"
    return Event(key=id + status, id=id, type=kind, status=status, reason=reason, is_of_stack=is_of_stack)


EVENTS = [
    event("Early", "CREATE_COMPLETE"),
    event("Bystander", "CREATE_FAILED", "Resource creation cancelled"),
    event("Culprit", "CREATE_FAILED", "The role may not be assumed"),
    event("Other", "CREATE_FAILED", "Later"),
    event("stack", "ROLLBACK_FAILED", "The following resource(s) failed", is_of_stack=True),
]


def test_the_first_that_failed_by_itself_is_named() -> None:
    found = failure(EVENTS)

    assert found is not None
    assert found.id == "Culprit"


@pytest.mark.parametrize(
    "broken",
    [
        lambda events: next(each for each in events if each.status.endswith("_FAILED")),
        lambda events: [each for each in events if each.status.endswith("_FAILED")][-1],
    ],
    ids=["the first of all", "the last"],
)
def test_a_bystander_or_the_stack_itself_would_be_the_wrong_one(broken: Callable[[list[Event]], Event]) -> None:
    assert broken(EVENTS).id != "Culprit"


def test_when_all_were_cancelled_one_of_them_is_named_and_when_none_failed_none() -> None:
    assert failure(EVENTS[:2]) == EVENTS[1]
    assert failure(EVENTS[:1]) is None


def test_a_reason_that_nobody_knows_gets_no_advice() -> None:
    assert advice("the moon is full") == ""
    assert "quota" in advice("LimitExceededException: too many")


def change(id: str, action: str = "Add", kind: str = "AWS::SNS::Topic", replacement: str = "") -> Change:
    """What would happen to a resource."""
    return Change(action=action, id=id, type=kind, replacement=replacement, is_kept=False)


def test_alike_changes_share_a_row_but_no_loss_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    topics = [change(f"Topic{number}") for number in range(9)]
    queues = [change(f"Queue{number}", "Modify", "AWS::SQS::Queue", "True") for number in range(9)]

    show(Plan(arn="", is_first=False, made_stack=False, changes=topics + queues), "stack")

    table, _, warning = capsys.readouterr().out.partition("What these hold now goes, or may go: ")
    assert "Topic3 and 5 more" in table
    assert "Topic4" not in table
    assert table.index("Queue0") < table.index("Topic0")
    assert all(f"Queue{number}" in table and f"Queue{number}" in warning for number in range(9))


@pytest.mark.parametrize(
    ("made", "is_loss"),
    [
        (change("A"), False),
        (change("A", "Remove"), True),
        (change("A", "Modify", replacement="False"), False),
        (change("A", "Modify", replacement="True"), True),
        (change("A", "Modify", replacement="Conditional"), False),
        (change("A", "Modify", "AWS::DynamoDB::GlobalTable", "Conditional"), True),
    ],
)
def test_a_change_is_a_loss_when_what_it_holds_may_go(made: Change, is_loss: bool) -> None:
    assert made.is_loss is is_loss
