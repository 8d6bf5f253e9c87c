"""Section 4 of the review: the critical issues that it found."""

from readiness.checks import ByTests, Fact, Row
from readiness.facts import access, functions
from readiness.rows.names import GATEWAY, ONLY_HEALTH, PASSED_ROLE, REMINDER

TABLE = "4. Critical issues"

ISSUES = (
    Row(
        id="pass-role",
        table=TABLE,
        asked="CRITICAL: Missing iam:PassRole Permission",
        said="EventBridge rule creation will fail in production",
        checks=(Fact(access.pass_role), Fact(access.scheduling), REMINDER, PASSED_ROLE),
    ),
    Row(
        id="no-authentication",
        table=TABLE,
        asked="HIGH RISK: No API Authentication",
        said="Public API endpoint vulnerable to abuse",
        checks=(
            Fact(access.keys),
            Fact(access.tokens, Authentication="Cognito"),
            ONLY_HEALTH,
            ByTests(f"{GATEWAY}::test_claims_come_from_the_gateway_and_from_nowhere_else", "tests/web/test_access.py"),
        ),
    ),
    Row(
        id="no-vpc",
        table=TABLE,
        asked="MEDIUM: No VPC Configuration",
        said="Lambda functions run in AWS-managed network",
        checks=(
            Fact(functions.in_a_vpc, UseVpc="true", VpcId="vpc-0", SubnetIds="subnet-0,subnet-1"),
            Fact(functions.network, UseVpc="true", VpcId="vpc-0", SubnetIds="subnet-0,subnet-1"),
        ),
    ),
)
