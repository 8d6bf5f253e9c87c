"""Every row of the review, in its tables and in their order."""

from readiness.checks import Row
from readiness.rows.advice import ADVICE
from readiness.rows.compliance import COMPLIANCE
from readiness.rows.costs import COSTS
from readiness.rows.coverage import COVERAGE
from readiness.rows.failures import FAILURES
from readiness.rows.issues import ISSUES
from readiness.rows.security import SECURITY

ROWS: tuple[Row, ...] = (*COMPLIANCE, *ISSUES, *COVERAGE, *SECURITY, *COSTS, *FAILURES, *ADVICE)
