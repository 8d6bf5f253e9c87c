"""Facts of the table: what it can take, how it is kept, and how it comes back."""

from collections.abc import Iterator

from readiness.checks import Finding
from readiness.facts.reading import named, property_of, says
from readiness.template import Absent, Json, Template, found, shown


def capacity(template: Template) -> Iterator[Finding]:
    """What the table may be asked for."""
    id, table = _table(template)
    yield property_of(id, table, "BillingMode", "PAY_PER_REQUEST")


def indexes(template: Template) -> Iterator[Finding]:
    """The lists that documents stand in."""
    id, table = _table(template)
    names = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    yield Finding(f"{id}: indexes {named(names)}" if names else f"{id}: no index", bool(names))


def stream(template: Template) -> Iterator[Finding]:
    """What wakes the planner."""
    id, table = _table(template)
    yield property_of(id, table, "StreamViewType", "NEW_AND_OLD_IMAGES")


def encryption(template: Template) -> Iterator[Finding]:
    """How the table is encrypted."""
    id, table = _table(template)
    yield property_of(id, table, "SSEEnabled", True)
    yield property_of(id, table, "SSEType", "KMS")


def recovery(template: Template) -> Iterator[Finding]:
    """Whether the table can be set back to any second of its last days, and outlives its stack."""
    id, table = _table(template)
    yield property_of(id, table, "PointInTimeRecoveryEnabled", True)
    yield property_of(id, table, "DeletionProtectionEnabled", True)
    policy = template.document["Resources"][id].get("DeletionPolicy", "Delete")
    yield Finding(f"{id}: DeletionPolicy {policy}", policy == "Retain")


def scaling(template: Template) -> Iterator[Finding]:
    """How provisioned capacity follows what is asked for."""
    id, table = _table(template)
    kinds = ("WriteCapacityAutoScalingSettings", "ReadCapacityAutoScalingSettings")
    for kind in kinds:
        settings: list[Json] = list(found(table, kind))
        spans = dict.fromkeys(f"{shown(each['MinCapacity'])} to {shown(each['MaxCapacity'])}" for each in settings)
        targets = dict.fromkeys(shown(target) for each in settings for target in found(each, "TargetValue"))
        # The table and each of its lists.
        holds = len(settings) == 1 + len(table.get("GlobalSecondaryIndexes", []))
        yield Finding(f"{id}: {len(settings)} {kind}, {', '.join(spans)} at {', '.join(targets)}%", holds)


def replica(template: Template) -> Iterator[Finding]:
    """The regions that hold a copy."""
    id, table = _table(template)
    regions = [shown(each["Region"]) for each in table.get("Replicas", [])]
    yield Finding(f"{id}: replicas in {named(regions)}", len(regions) > 1)


def backup(template: Template) -> Iterator[Finding]:
    """Copies apart from the table, in another vault too."""
    plan = template.properties("BackupPlan")
    yield property_of("BackupPlan", plan, "ScheduleExpression", lambda text: text.startswith("cron("))
    yield property_of("BackupPlan", plan, "DestinationBackupVaultArn", bool)
    yield says(template, "BackupSelection", "Resources", lambda all_of_them: shown(all_of_them) == "Table.Arn")


def _table(template: Template) -> tuple[str, Json]:
    """The one table, whichever type it is of."""
    tables = template.all("DynamoDB::GlobalTable") | template.all("DynamoDB::Table")
    if len(tables) != 1:
        raise Absent(f"{len(tables)} tables")
    return next(iter(tables.items()))
