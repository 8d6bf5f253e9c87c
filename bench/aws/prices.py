"""List prices of AWS in us-west-1 (Northern California), in dollars, and what is always free of each.

The sources: `LIST` is AWS's Price List of the region as published in September 2026; `PAGE` is the service's pricing
page, whose price is the same in all regions of the United States that we know of. Allowances are those without an end,
from the pricing pages; the ones of an account's first year count for nothing here.
"""

from dataclasses import dataclass
from typing import Literal

REGION, AS_OF = "us-west-1", "September 2026"
MILLION = 1e6
Source = Literal["LIST", "PAGE"]


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for `per` of something, of which `free` a month cost nothing."""

    dollars: float
    per: float
    source: Source
    free: float = 0.0

    def cost(self, quantity: float) -> float:
        """At list price."""
        return quantity * self.dollars / self.per

    def cost_beyond_free(self, quantity: float) -> float:
        """Once the allowance is used up."""
        return self.cost(max(quantity - self.free, 0.0))


WRITE_UNIT = Price(0.695, MILLION, "LIST")
READ_UNIT = Price(0.1395, MILLION, "LIST")
TABLE_GB = Price(0.28, 1, "LIST", free=25)
BACKUP_GB = Price(0.224, 1, "LIST")
API_REQUEST = Price(3.50, MILLION, "PAGE")
LAMBDA_REQUEST = Price(0.20, MILLION, "LIST", free=MILLION)
LAMBDA_GB_SECOND = Price(0.0000133334, 1, "LIST", free=400_000)
SCHEDULED_CALL = Price(1.00, MILLION, "PAGE", free=14 * MILLION)
SNS_REQUEST = Price(0.50, MILLION, "PAGE", free=MILLION)
SQS_REQUEST = Price(0.40, MILLION, "LIST", free=MILLION)
KMS_KEY = Price(1.00, 1, "LIST")
KMS_REQUEST = Price(0.03, 10_000, "LIST", free=20_000)
LOG_GB = Price(0.67, 1, "LIST", free=5)
LOG_KEPT_GB = Price(0.033, 1, "LIST", free=5)
METRIC = Price(0.30, 1, "LIST", free=10)
ALARM = Price(0.10, 1, "LIST", free=10)
DASHBOARD = Price(3.00, 1, "PAGE", free=3)
TRACE = Price(5.00, MILLION, "PAGE", free=100_000)
S3_GB = Price(0.026, 1, "LIST")
OUT_GB = Price(0.09, 1, "LIST", free=100)
MAIL = Price(0.10, 1000, "PAGE")
