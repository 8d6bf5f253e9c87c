"""`slotkeeper aws deploy`, `outputs` and `delete`: a stack is made, changed and deleted, and what fails is told."""

import json
import re
import sys

import pytest

from tests.aws.cloud import QUEUE, Cloud, template
from tests.aws.emulator import REGION

pytestmark = pytest.mark.slow

KEY = {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": "gateway-" + "k" * 20}}


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


def test_our_own_template_is_deployed_and_deleted_as_it_is(cloud: Cloud) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    simple = ("--parameter", "SampleTraces=false")  # the emulator does not know X-Ray's rules
    said = cloud("deploy", "--yes", "--python", version, "--architecture", "x86_64", *simple).stdout
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


def test_a_template_that_aws_refuses_leaves_nothing(cloud: Cloud) -> None:
    what = template(Bad={"Type": "AWS::Nonsense::Thing"})

    assert "AWS refused" in cloud.deploy(what, code=1).stderr
    assert not cloud.is_there()
