"""Section 6 of the review: its security controls."""

from readiness.checks import ByTests, Fact, Row
from readiness.facts import access, functions, messages, table, watching
from readiness.rows.names import CONNECTION, KEY_GRANTS, ONLY_HEALTH, PACKING

TABLE = "6. Security"
VPC = {"UseVpc": "true", "VpcId": "vpc-0", "SubnetIds": "subnet-0,subnet-1"}

SECURITY = (
    Row(
        id="authentication",
        table=TABLE,
        asked="API Authentication",
        said="HIGH, Implement before production",
        checks=(
            Fact(access.keys),
            Fact(access.tokens, Authentication="Cognito"),
            ONLY_HEALTH,
            ByTests("tests/web/test_access.py"),
        ),
    ),
    Row(
        id="data-encryption",
        table=TABLE,
        asked="Data Encryption",
        said="LOW, KMS and server-side encryption",
        checks=(
            Fact(table.encryption),
            Fact(messages.topics),
            ByTests(f"{CONNECTION}::test_only_who_proves_its_name_is_talked_to"),
            KEY_GRANTS,
        ),
    ),
    Row(
        id="network",
        table=TABLE,
        asked="Network Isolation",
        said="MEDIUM, Consider VPC if needed",
        checks=(Fact(functions.in_a_vpc, **VPC), Fact(functions.network, **VPC)),
    ),
    Row(
        id="secrets",
        table=TABLE,
        asked="Secrets Management",
        said="LOW, No hardcoded secrets",
        checks=(
            Fact(access.no_secrets),
            ByTests(
                f"{PACKING}::test_nothing_of_this_machine_and_no_secret_is_in_it",
                f"{CONNECTION}::test_no_secret_is_told_or_logged",
            ),
        ),
    ),
    Row(
        id="audit",
        table=TABLE,
        asked="Audit Logging",
        said="LOW, CloudWatch Logs configured",
        checks=(
            Fact(functions.log_groups),
            Fact(watching.request_log),
            ByTests("tests/web/test_journal.py::test_the_audit_log_tells_who_did_what"),
        ),
    ),
)
