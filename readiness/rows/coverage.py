"""Section 5 of the review: tests by component, with how many there are and what of the code they take."""

from readiness.checks import ByTests, Covered, Fact, Row
from readiness.facts import messages
from readiness.rows.names import (
    ALARMS,
    CONNECTION,
    DETECTOR,
    FAULTS,
    GATEWAY,
    JOURNEYS,
    METERED,
    METRICS,
    PACKING,
    PERMISSIONS,
    PLANNER,
    REMINDER,
    STORE,
    STORM,
    TEMPLATES,
)

PARTS = "5. Tests by component"
RESULTS = "5. Test results"
AWS = "src/slotkeeper/aws"
STORES = "src/slotkeeper/stores"
FUNCTIONS = ("app", "conflict_detector", "reminder_sender", "planner", "sweep", "aside", "delivering")
SENDERS = "src/slotkeeper/senders"

COVERAGE = (
    Row(
        id="template-tests",
        table=PARTS,
        asked="CloudFormation Template",
        said="100%, 50 unit tests",
        checks=(ByTests(*TEMPLATES), Covered((f"{AWS}/stack",), 95)),
    ),
    Row(
        id="table-tests",
        table=PARTS,
        asked="DynamoDB Operations",
        said="100%, 5 integration tests",
        checks=(
            ByTests(STORE, FAULTS, CONNECTION, "tests/stores/test_signing.py"),
            Covered(tuple(f"{STORES}/{name}.py" for name in ("dynamodb", "table", "items", "connection", "signing"))),
        ),
    ),
    Row(
        id="function-tests",
        table=PARTS,
        asked="Lambda Functions",
        said="95%, Multiple unit tests",
        checks=(
            ByTests(
                DETECTOR,
                PLANNER,
                "tests/aws/test_reminder_sender.py",
                "tests/aws/test_sweep.py",
                "tests/aws/test_app.py",
            ),
            Covered(
                tuple(
                    f"{AWS}/{name}.py"
                    for name in (
                        "app",
                        "conflict_detector",
                        "reminder_sender",
                        "planner",
                        "sweep",
                        "aside",
                        "delivering",
                    )
                )
            ),
        ),
    ),
    Row(
        id="gateway-tests",
        table=PARTS,
        asked="API Gateway",
        said="100%, 4 integration tests",
        checks=(ByTests(GATEWAY), Covered((f"{AWS}/gateway.py",))),
    ),
    Row(
        id="topic-tests",
        table=PARTS,
        asked="SNS Notifications",
        said="100%, 2 integration tests",
        checks=(
            ByTests("tests/senders/test_sns.py", "tests/senders/test_ses.py"),
            Covered((f"{SENDERS}/sns.py", f"{SENDERS}/ses.py")),
        ),
    ),
    Row(
        id="schedule-tests",
        table=PARTS,
        asked="EventBridge Rules",
        said="85%, 1 integration test",
        checks=(Fact(messages.schedules), ByTests(ALARMS, PLANNER), Covered((f"{AWS}/alarms.py",))),
    ),
    Row(
        id="metric-tests",
        table=PARTS,
        asked="CloudWatch Metrics",
        said="90%, 1 integration test",
        checks=(METERED, Covered((f"{AWS}/watching.py",)), METRICS),
    ),
    Row(
        id="journeys",
        table=PARTS,
        asked="End-to-End Workflow",
        said="100%, 2 integration tests",
        checks=(ByTests(JOURNEYS, STORM, PERMISSIONS),),
    ),
    Row(
        id="overall-coverage",
        table=RESULTS,
        asked="Overall Coverage",
        said="94%",
        checks=(
            ByTests("tests/aws"),
            Covered((AWS, f"{STORES}/dynamodb.py", f"{STORES}/table.py", f"{STORES}/items.py", SENDERS), 94),
        ),
    ),
    Row(
        id="unit-tests",
        table=RESULTS,
        asked="Unit Tests",
        said="48/50 passing (96%)",
        checks=(ByTests(*TEMPLATES, GATEWAY, PACKING),),
    ),
    Row(
        id="integration-tests",
        table=RESULTS,
        asked="Integration Tests",
        said="13/14 passing (93%)",
        checks=(ByTests(JOURNEYS, STORE, "tests/aws/test_deploying.py"),),
    ),
    Row(
        id="schedule-timing",
        table=RESULTS,
        asked="Note",
        said="Minor timing issue with EventBridge verification (non-blocking)",
        checks=(REMINDER,),
    ),
)
