"""Sections 2 and 3 of the review: the services, what was asked for, and AWS's good practices."""

from readiness.checks import ByTests, Fact, Row
from readiness.facts import access, functions, messages, table, watching
from readiness.figures import CROWD, UNITS
from readiness.rows.names import (
    ALLOWED,
    CONNECTION,
    FAULTS,
    KEY_GRANTS,
    METERED,
    METRICS,
    NO_DELIVERY,
    PASSED_ROLE,
    RACE,
    REAL_LOAD,
    REMINDER,
    RESTORE,
    STORE,
    STORM,
    VISIT,
)

USED = "2. AWS services"
ASKED = "3. Requirements"
GOOD = "3. AWS best practices"

COMPLIANCE = (
    Row(
        id="dynamodb",
        table=USED,
        asked="DynamoDB",
        said="with GSI and conditional writes",
        checks=(
            Fact(table.indexes),
            ByTests(f"{STORE}::TestDynamoStore::test_a_wrong_version_is_stale_and_shows_what_is_there"),
        ),
    ),
    Row(
        id="lambda",
        table=USED,
        asked="Lambda",
        said="Python 3.11",
        checks=(Fact(functions.runtime), Fact(functions.memory)),
    ),
    Row(id="api-gateway", table=USED, asked="API Gateway", said="REST API", checks=(Fact(access.rest_api),)),
    Row(id="sns", table=USED, asked="SNS", said="with KMS encryption", checks=(Fact(messages.topics),)),
    Row(
        id="eventbridge",
        table=USED,
        asked="EventBridge",
        said="dynamic rule creation",
        checks=(Fact(messages.schedules),),
    ),
    Row(
        id="cloudwatch",
        table=USED,
        asked="CloudWatch",
        said="Logs, Metrics, Alarms",
        checks=(Fact(functions.log_groups), Fact(watching.log_levels), Fact(watching.alarms)),
    ),
    Row(
        id="iam",
        table=USED,
        asked="IAM",
        said="service roles and policies",
        checks=(Fact(access.least_privilege),),
    ),
    Row(
        id="capacity",
        table=ASKED,
        asked="3,500 daily capacity",
        said="10 RCU/WCU provisioned",
        checks=(Fact(table.capacity), Fact(functions.memory), UNITS, RACE, REAL_LOAD),
    ),
    Row(
        id="conflicts",
        table=ASKED,
        asked="Conflict detection",
        said="DynamoDB conditional writes",
        checks=(
            ByTests(
                f"{STORE}::TestDynamoStore::test_of_many_threads_that_write_one_version_one_wins",
                f"{STORE}::TestDynamoStore::test_two_swaps_of_the_same_documents_never_mix",
                f"{FAULTS}::test_nobody_is_booked_wrongly_in_a_storm",
                "tests/laws/test_overlap.py::test_two_spans_are_refused_exactly_when_they_overlap",
            ),
            RACE,
            CROWD,
        ),
    ),
    Row(
        id="reminders",
        table=ASKED,
        asked="Reminder notifications",
        said="EventBridge dynamic rules",
        checks=(
            Fact(table.stream),
            Fact(messages.schedules),
            REMINDER,
            ByTests("tests/courier/test_reminders.py", "tests/field/test_t15_reminders.py"),
            NO_DELIVERY,
        ),
    ),
    Row(
        id="region",
        table=ASKED,
        asked="us-west-1 deployment",
        said="Hardcoded in configuration",
        checks=(Fact(access.regions), ByTests(f"{CONNECTION}::test_each_region_has_its_endpoint"), VISIT),
    ),
    Row(
        id="rest-api",
        table=ASKED,
        asked="API Gateway REST",
        said="/appointments endpoint",
        checks=(Fact(access.rest_api), VISIT),
    ),
    Row(
        id="monitoring",
        table=ASKED,
        asked="CloudWatch monitoring",
        said="Metrics and alarms",
        checks=(Fact(watching.alarms), METERED, METRICS),
    ),
    Row(
        id="notifications",
        table=ASKED,
        asked="SNS notifications",
        said="KMS encrypted topic",
        checks=(Fact(messages.topics), ByTests("tests/senders/test_sns.py"), KEY_GRANTS),
    ),
    Row(
        id="permissions",
        table=ASKED,
        asked="IAM permissions",
        said="Missing PassRole",
        checks=(Fact(access.pass_role), Fact(access.scheduling), REMINDER, PASSED_ROLE),
    ),
    Row(
        id="encryption",
        table=GOOD,
        asked="Encryption",
        said="KMS for SNS, server-side for DynamoDB",
        checks=(Fact(table.encryption), Fact(messages.topics), Fact(messages.queues), KEY_GRANTS),
    ),
    Row(
        id="recovery",
        table=GOOD,
        asked="PITR",
        said="Enabled for DynamoDB",
        checks=(Fact(table.recovery), RESTORE),
    ),
    Row(
        id="least-privilege",
        table=GOOD,
        asked="Least privilege",
        said="Missing iam:PassRole permission",
        checks=(Fact(access.least_privilege), Fact(access.pass_role), ALLOWED, PASSED_ROLE),
    ),
    Row(
        id="log-retention",
        table=GOOD,
        asked="Log retention",
        said="7-day optimized retention",
        checks=(Fact(functions.retention),),
    ),
    Row(
        id="error-handling",
        table=GOOD,
        asked="Error handling",
        said="Comprehensive try-catch blocks",
        checks=(
            Fact(functions.failures),
            ByTests(
                STORM,
                FAULTS,
                f"{CONNECTION}::test_what_keeps_coming_to_nothing_is_unreachable_and_never_an_answer",
                "tests/web/test_problems.py::test_a_store_that_fails_is_told_as_503_and_never_as_free",
                "tests/web/test_problems.py::test_what_nobody_foresaw_is_logged_and_not_told",
            ),
        ),
    ),
    Row(
        id="conflict-alarm",
        table=GOOD,
        asked="Monitoring",
        said="CloudWatch alarm for conflicts",
        checks=(Fact(watching.conflicts), METRICS),
    ),
)
