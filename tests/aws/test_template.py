"""The template against the code that it deploys: settings, keys, times and limits."""

import importlib
import json
import re
from typing import Any, cast

import pytest

from slotkeeper.aws import app
from slotkeeper.aws.stack import outputs, watching, written
from slotkeeper.aws.stack.functions import FUNCTIONS
from slotkeeper.aws.stack.language import joined
from slotkeeper.aws.stack.messages import SWEEP_MINUTES
from slotkeeper.aws.watching import NAMESPACE
from slotkeeper.core.reminders import LEASE_SECONDS
from slotkeeper.settings import AwsAccess, Settings, entries, load
from slotkeeper.stores.items import LISTS, PART, SORT, UNTIL, list_attributes
from tests.aws.evaluated import EVERYTHING, TEMPLATE, Json, committed, of_type, resources
from tests.aws.template_page import PAGE, template_page

KEPT = {"Table", "DataKey", "BackupVault", "UserPool", "ApiLogRole", "ApiAccount"}
SERVED_BY_DEFAULTS = {
    "limits.address_per_minute",
    "limits.body_bytes",
    "limits.key_per_minute",
    "webhooks.allow_private",
    "webhooks.timeout_seconds",
}
"""Settings that are read, and right as they are."""


# What is committed


def test_the_committed_template_is_what_the_package_writes() -> None:
    assert TEMPLATE.read_text("utf-8") == written(), "remake it with: make template"


def test_the_page_tells_of_every_parameter_and_output() -> None:
    page = PAGE.read_text("utf-8")

    assert page == template_page(), "remake it with: make template"
    assert all(f"`{name}`" in page for name in [*committed()["Parameters"], *committed()["Outputs"]])


def test_it_is_within_what_cloudformation_takes() -> None:
    template = committed()

    assert len(TEMPLATE.read_bytes()) < 1_000_000
    assert len(template["Resources"]) < 500
    assert len(template["Parameters"]) < 200
    assert len(template["Outputs"]) < 200


def test_nothing_names_a_region_or_a_partition() -> None:
    text = json.dumps(committed()["Resources"])

    assert not re.findall(r"\b(?:us|eu|ap|sa|ca|me|af)(?:-gov)?-(?:north|south|east|west|central)+-\d\b", text)
    assert not re.findall(r"arn:aws\b", text)


def test_no_two_parts_share_a_name() -> None:
    with pytest.raises(ValueError, match="Api stands in the template twice"):
        joined({"Api": {}}, {"Api": {}})


# The table


def test_the_tables_keys_and_lists_are_those_of_the_store() -> None:
    table = committed()["Resources"]["Table"]["Properties"]
    keys = {"HASH": "part", "RANGE": "sort"}

    assert (
        {each["KeyType"]: each["AttributeName"] for each in table["KeySchema"]} == keys == {"HASH": PART, "RANGE": SORT}
    )
    assert [each["IndexName"] for each in table["GlobalSecondaryIndexes"]] == list(LISTS)
    for index in table["GlobalSecondaryIndexes"]:
        attributes = [each["AttributeName"] for each in index["KeySchema"]]
        assert tuple(attributes) == list_attributes(index["IndexName"])
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": UNTIL, "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.mark.parametrize("region", ["", "us-east-2"])
def test_every_copy_of_the_table_can_be_recovered_and_is_not_deleted_by_mistake(region: str) -> None:
    table = resources(committed(), ReplicaRegion=region)["Table"]["Properties"]

    assert len(table["Replicas"]) == 1 + bool(region)
    for copy in table["Replicas"]:
        assert copy["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert copy["DeletionProtectionEnabled"] is True


def test_capacity_scales_for_the_table_and_each_list_when_it_is_provisioned_and_only_then() -> None:
    by_request = resources(committed())["Table"]["Properties"]
    by_capacity = resources(committed(), BillingMode="PROVISIONED")["Table"]["Properties"]

    assert "ProvisionedThroughputSettings" not in json.dumps(by_request)
    for each in [by_capacity, *by_capacity["GlobalSecondaryIndexes"]]:
        assert "WriteCapacityAutoScalingSettings" in each["WriteProvisionedThroughputSettings"]
    (copy,) = by_capacity["Replicas"]
    for each in [copy, *copy["GlobalSecondaryIndexes"]]:
        assert "ReadCapacityAutoScalingSettings" in each["ReadProvisionedThroughputSettings"]
    assert len(copy["GlobalSecondaryIndexes"]) == len(LISTS)


def test_what_holds_data_or_serves_others_stays_when_the_stack_goes() -> None:
    kept = {name for name, each in committed()["Resources"].items() if each.get("DeletionPolicy") == "Retain"}

    assert kept == KEPT
    assert all(committed()["Resources"][name]["UpdateReplacePolicy"] == "Retain" for name in kept)


# The functions


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_handler_can_be_imported(name: str) -> None:
    module, _, function = resources(committed())[name]["Properties"]["Handler"].rpartition(".")

    assert callable(getattr(importlib.import_module(module), function))


class Reading:
    """Settings that note which of them are read."""

    def __init__(self, real: Any, read: set[str], path: str = "") -> None:
        self._real, self._read, self._path = real, read, path

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        name = "database" if name == "table" else name
        if type(value).__module__ == Settings.__module__:
            return Reading(value, self._read, f"{self._path}{name}.")
        self._read.add(self._path + name)
        return value


def settings_read(function: str, environ: dict[str, str]) -> set[str]:
    """The settings that building the function's objects reads."""
    read: set[str] = set()
    build = getattr(app, FUNCTIONS[function].module)
    build(cast("Settings", Reading(load(environ), read)), AwsAccess(key_id="id", secret="secret"))
    return read


def environment_of(function: str) -> dict[str, str]:
    """The variables of the function with every option on, with something in place of what only AWS knows."""
    made = resources(committed(), FromAddress="desk@example.com", TextMessages="true", Authentication="Cognito")
    variables = made[function]["Properties"]["Environment"]["Variables"]
    return {name: value if isinstance(value, str) else "dynamodb:given" for name, value in variables.items()}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_is_given_exactly_the_settings_that_it_reads(function: str) -> None:
    environ = environment_of(function)
    ours = {entry.variable: entry.name for entry in entries()}

    given = {ours[name] for name in environ if name in ours}

    assert given == settings_read(function, environ) - SERVED_BY_DEFAULTS
    assert environ.keys() - ours.keys() == {"AWS_SDK_UA_APP_ID"}
    assert environ["AWS_SDK_UA_APP_ID"] == function


def test_a_setting_that_is_missing_or_needless_is_seen() -> None:
    environ = environment_of("Planner")

    read = settings_read("Planner", environ)

    assert "aws.schedule_role" in read
    assert "aws.from_address" not in read


AT_AWS = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}"}
AT_HOME = {"DomainName": "book.example.com", "CertificateArn": "arn:aws:acm:us-east-2:111111111111:certificate/1"}


@pytest.mark.parametrize("function", ["ReminderSender", "Sweep"])
@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({}, ""),
        ({"VisitorsMayBook": "true"}, AT_AWS),
        ({"StaffPages": "true"}, AT_AWS),
        (AT_HOME, ""),
        ({"StaffPages": "true"} | AT_HOME, {"Fn::Sub": "https://${DomainName}"}),
    ],
)
def test_messages_link_to_where_pages_are_and_nowhere_without_them(
    function: str, parameters: dict[str, str], place: object
) -> None:
    variables = resources(committed(), **parameters)[function]["Properties"]["Environment"]["Variables"]

    assert variables["SLOTKEEPER_PUBLIC_URL"] == place


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_settings_can_be_read_with_every_option_off(function: str) -> None:
    variables = resources(committed())[function]["Properties"]["Environment"]["Variables"]

    load({name: value if isinstance(value, str) else "dynamodb:given" for name, value in variables.items()})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_memory_time_traces_and_a_log_that_ends(name: str) -> None:
    made = resources(committed())
    function = made[name]["Properties"]
    log = made[function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]

    assert function["MemorySize"] >= 256
    assert function["Timeout"] >= 20
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert log["RetentionInDays"] == "7"


def without_a_place_for_failures(made: dict[str, Json]) -> set[str]:
    """The functions whose failed events are kept nowhere."""
    kept = {
        each["FunctionName"]["Ref"]
        for each in of_type(made, "Lambda::EventInvokeConfig").values()
        if "OnFailure" in each["DestinationConfig"]
    } | {
        each["FunctionName"]["Fn::GetAtt"][0]
        for each in of_type(made, "Lambda::EventSourceMapping").values()
        if "OnFailure" in each.get("DestinationConfig", {})
    }
    return of_type(made, "Lambda::Function").keys() - kept


def test_only_the_api_whose_caller_waits_keeps_no_failed_event() -> None:
    assert without_a_place_for_failures(resources(committed())) == {"ConflictDetector"}


def test_a_function_without_a_place_for_failures_is_seen() -> None:
    made = resources(committed())
    del made["SweepFailures"]

    assert "Sweep" in without_a_place_for_failures(made)


def test_times_fit_into_one_another() -> None:
    seconds = {name: function.seconds for name, function in FUNCTIONS.items()}

    assert seconds["ConflictDetector"] < 29, "API Gateway gives up then"
    assert seconds["ReminderSender"] > LEASE_SECONDS, "what was sent while it was claimed must still be noted"
    assert seconds["Sweep"] < SWEEP_MINUTES * 60, "the next one begins"
    assert seconds["Sweep"] < committed()["Resources"]["AsideQueue"]["Properties"]["VisibilityTimeout"]


# Watching


def test_each_alarm_tells_people_and_says_what_is_wrong() -> None:
    for alarm in of_type(resources(committed()), "CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert len(alarm["AlarmDescription"]) > 20


def test_alarms_and_dashboard_show_metrics_that_the_functions_write() -> None:
    code = "".join(path.read_text("utf-8") for path in TEMPLATE.parent.glob("*.py"))
    wanted = {alarm.metric for alarm in watching.ALARMS.values() if alarm.namespace == NAMESPACE}
    board = json.loads(committed()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    for widget in board["widgets"]:
        wanted |= {metric[1] for metric in widget["properties"]["metrics"] if metric[0] == NAMESPACE}

    assert {name for name in wanted if f'"{name}"' not in code} == set()


def test_the_page_shows_every_output() -> None:
    assert outputs().keys() == committed()["Outputs"].keys()


# Options


def test_by_default_there_is_nothing_that_an_option_makes() -> None:
    kinds = {each["Type"] for each in resources(committed()).values()}

    assert not [
        kind for kind in kinds if re.match("AWS::(Backup|WAFv2|EC2|Cognito)::|AWS::CloudWatch::Composite", kind)
    ]


def test_with_every_option_each_resource_is_made() -> None:
    keys = resources(
        committed(),
        **EVERYTHING,
        VisitorsMayBook="true",
        StaffPages="true",
        AllowedOrigin="https://app.example.com",
        DomainName="book.example.com",
        AlarmEmail="ops@example.com",
        EventEmail="ops@example.com",
        EventHttpsEndpoint="https://example.com",
        EventQueueArn="arn:aws:sqs:us-east-2:111111111111:events",
        UseCompositeAlarm="true",
    )
    tokens = resources(committed(), Authentication="Cognito")
    all_but_deployments = {name for name in committed()["Resources"] if not name.startswith("Deployment")}

    assert all_but_deployments <= keys.keys() | tokens.keys()


def test_a_filter_names_only_what_was_picked() -> None:
    everything = resources(committed(), EventEmail="ops@example.com")["EmailSubscription"]["Properties"]
    some = resources(committed(), EventEmail="ops@example.com", EventTypes="appointment.booked,appointment.moved")

    assert "FilterPolicy" not in everything
    assert some["EmailSubscription"]["Properties"]["FilterPolicy"] == {
        "type": ["appointment.booked", "appointment.moved"]
    }
