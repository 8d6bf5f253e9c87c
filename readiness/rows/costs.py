"""Section 7 of the review: what a month costs, resource by resource."""

from readiness.checks import Fact, Row
from readiness.facts import access, functions, messages, table
from readiness.figures import MONTH, UNITS, cost
from readiness.rows.names import BILL

TABLE = "7. Cost of a month"

COSTS = (
    Row(
        id="cost-table",
        table=TABLE,
        asked="DynamoDB",
        said="10 RCU/WCU, $6, Provisioned vs on-demand (40% savings)",
        checks=(Fact(table.capacity), UNITS, cost("DynamoDB", 6)),
    ),
    Row(
        id="cost-functions",
        table=TABLE,
        asked="Lambda",
        said="256MB memory, $2, Right-sized for workload",
        checks=(Fact(functions.memory), cost("Lambda", 2)),
    ),
    Row(
        id="cost-watching",
        table=TABLE,
        asked="CloudWatch",
        said="7-day retention, <$1, Optimized retention period",
        checks=(Fact(functions.retention), cost("CloudWatch", 1)),
    ),
    Row(
        id="cost-schedules",
        table=TABLE,
        asked="EventBridge",
        said="Dynamic rules, $3, Auto-cleanup implemented",
        checks=(Fact(messages.schedules), cost("EventBridge Scheduler", 3)),
    ),
    Row(
        id="cost-api",
        table=TABLE,
        asked="API Gateway",
        said="REST API, $2, Pay per request",
        checks=(Fact(access.rest_api), cost("API Gateway", 2)),
    ),
    Row(id="cost", table=TABLE, asked="Estimated Monthly Cost", said="all resources, ~$14", checks=(MONTH, BILL)),
)
