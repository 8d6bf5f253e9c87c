"""Section 10 of the review: what it recommends."""

from readiness.checks import ByTests, Fact, Row, Unseen
from readiness.facts import access, functions, messages, table, watching
from readiness.figures import CROWD, DAY
from readiness.rows.names import JOURNEYS, ONLY_HEALTH, PASSED_ROLE, RACE, REAL_LOAD, REMINDER, RESTORE, VISIT
from readiness.rows.security import VPC

MUST = "10. Must fix before production"
SHOULD = "10. Should consider"
NICE = "10. Nice to have"
NEXT = "10. Next steps"
LISTENERS = {
    "EventEmail": "events@example.com",
    "EventHttpsEndpoint": "https://example.com/events",
    "EventQueueArn": "arn:aws:sqs:us-west-1:123456789012:events",
    "AlarmEmail": "alarms@example.com",
}

ADVICE = (
    Row(
        id="must-pass-role",
        table=MUST,
        asked="Add `iam:PassRole` permission to ConflictDetectorRole",
        said="",
        checks=(Fact(access.pass_role), Fact(access.scheduling), PASSED_ROLE),
    ),
    Row(
        id="must-authenticate",
        table=MUST,
        asked="Implement API authentication (API Key or Cognito)",
        said="",
        checks=(Fact(access.keys), Fact(access.tokens, Authentication="Cognito"), ONLY_HEALTH),
    ),
    Row(
        id="vpc",
        table=SHOULD,
        asked="Add VPC configuration for network isolation",
        said="",
        checks=(Fact(functions.in_a_vpc, **VPC), Fact(functions.network, **VPC)),
    ),
    Row(
        id="rate-limits",
        table=SHOULD,
        asked="Implement request rate limiting",
        said="",
        checks=(
            Fact(access.limits),
            Fact(access.firewall, UseWaf="true"),
            ByTests(f"{JOURNEYS}::test_who_asks_too_often_is_put_off", "tests/web/test_limits.py"),
            Unseen("the firewall is not in the emulator"),
        ),
    ),
    Row(
        id="dashboards",
        table=SHOULD,
        asked="Add CloudWatch dashboards for monitoring",
        said="",
        checks=(Fact(watching.dashboard), Unseen("CloudWatch draws it on AWS only")),
    ),
    Row(
        id="subscriptions",
        table=SHOULD,
        asked="Configure SNS subscription endpoints",
        said="",
        checks=(Fact(messages.subscriptions, **LISTENERS),),
    ),
    Row(
        id="dead-letters",
        table=SHOULD,
        asked="Add DLQ for failed Lambda invocations",
        said="",
        checks=(
            Fact(functions.failures),
            Fact(messages.queues),
            Unseen("EventBridge Scheduler sends its dead letters on AWS only"),
        ),
    ),
    Row(
        id="tracing",
        table=NICE,
        asked="X-Ray tracing for performance monitoring",
        said="",
        checks=(Fact(functions.tracing), Unseen("X-Ray is not in the emulator")),
    ),
    Row(
        id="second-region",
        table=NICE,
        asked="Multi-region backup strategy",
        said="",
        checks=(
            Fact(table.replica, ReplicaRegion="us-east-2"),
            Fact(
                table.backup,
                UseBackup="true",
                BackupCopyVaultArn="arn:aws:backup:us-east-2:123456789012:backup-vault:copies",
            ),
            RESTORE,
        ),
    ),
    Row(
        id="scaling",
        table=NICE,
        asked="Automated scaling policies",
        said="",
        checks=(
            Fact(table.scaling, BillingMode="PROVISIONED"),
            Fact(table.capacity),
            Unseen("scaling is not in the emulator"),
        ),
    ),
    Row(id="tags", table=NICE, asked="Cost allocation tags", said="", checks=(Fact(access.tags),)),
    Row(
        id="next-pass-role",
        table=NEXT,
        asked="Apply the iam:PassRole permission fix",
        said="",
        checks=(Fact(access.pass_role), Fact(access.scheduling), PASSED_ROLE),
    ),
    Row(
        id="next-authentication",
        table=NEXT,
        asked="Implement API authentication",
        said="",
        checks=(Fact(access.keys), Fact(access.tokens, Authentication="Cognito"), ONLY_HEALTH),
    ),
    Row(
        id="staging",
        table=NEXT,
        asked="Deploy to staging environment",
        said="",
        checks=(ByTests("tests/aws/test_deploying.py"), VISIT, REMINDER),
    ),
    Row(
        id="load",
        table=NEXT,
        asked="Conduct load testing for 3,500 daily appointments",
        said="",
        checks=(RACE, CROWD, DAY, REAL_LOAD),
    ),
    Row(
        id="production",
        table=NEXT,
        asked="Deploy to production with monitoring",
        said="",
        checks=(
            Fact(watching.alarms),
            Fact(watching.dashboard),
            ByTests("tests/aws/test_deploying.py"),
            Unseen("nothing was deployed to AWS itself"),
        ),
    ),
)
