"""Sections 8 and 9 of the review: what had gone wrong in the design before."""

from readiness.checks import ByTests, Fact, Row
from readiness.facts import access, functions, messages, watching
from readiness.rows.names import (
    ALARMS,
    ALLOWED,
    METERED,
    METRICS,
    PACKING,
    PASSED_ROLE,
    PLANNER,
    REMINDER,
    VISIT,
)

DIFFERENCES = "8. Key differences"
TABLE = "9. Documented failures"

FAILURES = (
    Row(
        id="handler-strings",
        table=DIFFERENCES,
        asked="Lambda Handlers",
        said="used incorrect handler strings",
        checks=(Fact(functions.handlers), ByTests(f"{PACKING}::test_each_handler_imports_where_nothing_else_is")),
    ),
    Row(
        id="explicit-log-groups",
        table=DIFFERENCES,
        asked="Log Groups",
        said="missing explicit CloudWatch Log Groups",
        checks=(Fact(functions.log_groups),),
    ),
    Row(
        id="role-passing",
        table=DIFFERENCES,
        asked="IAM Permissions",
        said="missing iam:PassRole for EventBridge",
        checks=(Fact(access.pass_role), Fact(access.scheduling), PASSED_ROLE),
    ),
    Row(
        id="resources",
        table=DIFFERENCES,
        asked="Resource Count",
        said="14 resources, 16 in the corrected one",
        checks=(Fact(access.resources),),
    ),
    Row(
        id="handlers",
        table=TABLE,
        asked="Lambda handler configuration errors",
        said="",
        checks=(
            Fact(functions.handlers),
            ByTests(f"{PACKING}::test_each_handler_imports_where_nothing_else_is"),
            VISIT,
        ),
    ),
    Row(
        id="log-groups",
        table=TABLE,
        asked="Missing CloudWatch Log Groups",
        said="",
        checks=(Fact(functions.log_groups), Fact(functions.retention)),
    ),
    Row(
        id="metric-filters",
        table=TABLE,
        asked="Invalid MetricFilter patterns",
        said="",
        checks=(Fact(watching.metric_filters), METERED, METRICS),
    ),
    Row(
        id="time-zones",
        table=TABLE,
        asked="Timezone handling bugs",
        said="",
        checks=(
            ByTests(
                "tests/field/test_t11_clock_changes.py",
                "tests/field/test_t12_other_zones.py",
                "tests/field/test_t14_the_places_zone.py",
                f"{PACKING}::test_zones_come_from_the_package_where_the_machine_has_none",
            ),
        ),
    ),
    Row(
        id="dependencies",
        table=TABLE,
        asked="Missing dependencies",
        said="",
        checks=(
            ByTests(
                f"{PACKING}::test_each_handler_imports_where_nothing_else_is",
                f"{PACKING}::test_every_module_of_ours_imports_where_nothing_else_is",
                f"{PACKING}::test_a_missing_package_is_caught",
            ),
        ),
    ),
    Row(
        id="incomplete-functions",
        table=TABLE,
        asked="Incomplete Lambda implementations",
        said="",
        checks=(VISIT, REMINDER),
    ),
    Row(
        id="missing-permissions",
        table=TABLE,
        asked="Missing IAM permissions",
        said="",
        checks=(Fact(access.pass_role), Fact(access.scheduling), ALLOWED, REMINDER, PASSED_ROLE),
    ),
    Row(
        id="cleanup",
        table=TABLE,
        asked="No EventBridge cleanup",
        said="",
        checks=(
            Fact(messages.schedules),
            ByTests(
                f"{ALARMS}::test_an_alarm_rings_at_its_time_and_is_gone_then",
                f"{ALARMS}::test_an_alarm_that_is_cleared_is_gone_and_clearing_it_again_does_nothing",
                f"{PLANNER}::test_a_move_moves_the_alarm_and_a_cancellation_clears_it",
            ),
        ),
    ),
)
