"""Where the emulator's IAM asks for something else than AWS does: what a guarded run needs on top of our policies.

Everything else in a guarded run is allowed or refused by the template's own policies.
"""

import json
from typing import Any

from tests.aws.emulator import Emulator

SENDERS = ("ReminderSenderRole", "SweepRole")


def give_allowances(emulator: Emulator, ids: dict[str, str]) -> None:
    """Give a stack what the emulator asks for; `ids` are its resources, by logical id."""
    for role in SENDERS:
        # AWS asks for ses:SendEmail on the identity; the emulator on `*`.
        _allow(emulator, ids[role], "ses:SendEmail", "*")
    # AWS names the schedule's group; the emulator always says `default`.
    actions = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"]
    _allow(emulator, ids["PlannerRole"], actions, "arn:aws:scheduler:*:*:schedule/default/*")


def _allow(emulator: Emulator, role: str, action: Any, on: str) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": on}]}
    emulator.client("iam").put_role_policy(RoleName=role, PolicyName="emulator", PolicyDocument=json.dumps(policy))
