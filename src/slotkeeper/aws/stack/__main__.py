"""Prints the template: `python -m slotkeeper.aws.stack > src/slotkeeper/aws/template.json`."""

import sys

from slotkeeper.aws.stack import written

sys.stdout.write(written())
