"""The tests that more than one row rests on, and what only AWS itself can show."""

from readiness.checks import ByTests, Unseen

TEMPLATE = "tests/aws/test_template.py"
TEMPLATES = (
    TEMPLATE,
    "tests/aws/test_template_api.py",
    "tests/aws/test_template_lint.py",
    "tests/aws/test_template_rights.py",
)
STORE = "tests/stores/test_dynamodb.py"
FAULTS = "tests/stores/test_dynamodb_under_faults.py"
CONNECTION = "tests/stores/test_connection.py"
STORM = "tests/e2e/test_aws_in_a_storm.py"
PERMISSIONS = "tests/e2e/test_permissions.py"
JOURNEYS = "tests/e2e/test_aws.py"
PACKING = "tests/aws/test_packing.py"
GATEWAY = "tests/aws/test_gateway.py"

PLANNER = "tests/aws/test_planner.py"
ALARMS = "tests/aws/test_alarms.py"
DETECTOR = "tests/aws/test_conflict_detector.py"

VISIT = ByTests(f"{JOURNEYS}::test_a_visit_from_the_first_look_to_the_cancellation")
REMINDER = ByTests(f"{JOURNEYS}::test_a_reminder_arrives_once_and_none_for_what_is_off")
RACE = ByTests(f"{JOURNEYS}::test_of_32_clients_that_want_one_slot_one_wins_in_each_of_200_rounds")
ONLY_HEALTH = ByTests(f"{JOURNEYS}::test_no_route_but_health_is_open")
ALLOWED = ByTests(f"{PERMISSIONS}::test_each_function_may_do_what_it_does_and_nothing_else")
METERED = ByTests(
    f"{DETECTOR}::test_what_was_booked_refused_and_done_again_is_counted",
    f"{TEMPLATE}::test_alarms_and_dashboard_show_metrics_that_the_functions_write",
)

BILL = Unseen("the bill comes from AWS only; this is reckoned from metered units and list prices")
REAL_LOAD = Unseen("throttling, hot partitions and cold starts happen on AWS only")
RESTORE = Unseen("a restore takes a real table")
PASSED_ROLE = Unseen("the emulator lets a role be passed on without asking; the statement is read from the template")
KEY_GRANTS = Unseen("whether KMS grants each use is seen on AWS only")
METRICS = Unseen("CloudWatch reads metrics out of log lines on AWS only; the lines themselves are checked")
NO_DELIVERY = Unseen("mail that arrives is seen on AWS only; what SES and SNS are given is checked")
