"""The table with its lists, its copy in another region, and its backups."""

from typing import Any

from slotkeeper.aws.stack.language import (
    TAGS,
    Json,
    allow,
    att,
    policy,
    ref,
    resource,
    sub,
    tags,
    when,
)
from slotkeeper.aws.stack.roles import trust
from slotkeeper.contracts import ListName
from slotkeeper.stores.items import LISTS, PART, SORT, UNTIL, list_attributes

TARGET_PERCENT = 70
"""What scaling aims at: the rest is room for what comes before it has scaled."""

KEPT_DAYS = 35


def resources() -> Json:
    return {"Table": _table(), "DataKey": _key(), **_backup()}


def _table() -> Json:
    """A global table, also where it has one replica: then it is a table like any other, at the same price, and a
    region can be added later without making it anew."""
    keys = [(PART, SORT), *map(list_attributes, LISTS)]
    return resource(
        "DynamoDB::GlobalTable",
        {
            "BillingMode": ref("BillingMode"),
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for pair in keys for name in pair],
            "KeySchema": _schema(PART, SORT),
            "GlobalSecondaryIndexes": [_index(name) for name in LISTS],
            "WriteProvisionedThroughputSettings": when("IsProvisioned", _writes()),
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "TimeToLiveSpecification": {"AttributeName": UNTIL, "Enabled": True},
            "Replicas": [
                _replica(ref("AWS::Region"), when("HasOwnKey", {"KMSMasterKeyId": att("DataKey")})),
                when(
                    "HasReplica",
                    _replica(ref("ReplicaRegion"), when("HasReplicaKey", {"KMSMasterKeyId": ref("ReplicaKeyArn")})),
                ),
            ],
        },
        kept=True,
    )


def _schema(part: str, sort: str) -> list[Json]:
    return [{"AttributeName": part, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _index(name: ListName) -> Json:
    return {
        "IndexName": name,
        "KeySchema": _schema(*list_attributes(name)),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "WriteProvisionedThroughputSettings": when("IsProvisioned", _writes()),
    }


def _replica(region: Any, key: Json) -> Json:
    reads = {"ReadCapacityAutoScalingSettings": _scaling("ReadCapacity")}
    return {
        "Region": region,
        "SSESpecification": key,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": True,
        "ReadProvisionedThroughputSettings": when("IsProvisioned", reads),
        "GlobalSecondaryIndexes": when(
            "IsProvisioned", [{"IndexName": name, "ReadProvisionedThroughputSettings": reads} for name in LISTS]
        ),
        "Tags": tags(),
    }


def _writes() -> Json:
    return {"WriteCapacityAutoScalingSettings": _scaling("WriteCapacity")}


def _scaling(least: str) -> Json:
    return {
        "MinCapacity": ref(least),
        "MaxCapacity": ref("MaxCapacity"),
        # Where a table that was paid by request begins; without it that change is refused.
        "SeedCapacity": ref(least),
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": TARGET_PERCENT},
    }


def _key() -> Json:
    """Our own key for the table and the logs, where it is wanted. The account's root administers it and gives out its
    use by IAM, but for DynamoDB alone."""
    return resource(
        "KMS::Key",
        {
            "Description": sub("The table and the logs of ${AWS::StackName}"),
            "EnableKeyRotation": True,
            "KeyPolicy": policy(
                administration(),
                allow(
                    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant"],
                    "*",
                    {
                        "StringEquals": {
                            "kms:CallerAccount": ref("AWS::AccountId"),
                            "kms:ViaService": sub("dynamodb.${AWS::Region}.amazonaws.com"),
                        }
                    },
                    Sid="UseByTheTable",
                    Principal={"AWS": _root()},
                ),
                allow(
                    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                    "*",
                    {
                        "ArnLike": {
                            "kms:EncryptionContext:aws:logs:arn": sub(
                                "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"
                            )
                        }
                    },
                    Sid="UseByTheLogs",
                    Principal={"Service": sub("logs.${AWS::Region}.amazonaws.com")},
                ),
            ),
            "PendingWindowInDays": 30,
            "Tags": tags(),
        },
        only="HasOwnKey",
        kept=True,
    )


def administration() -> Json:
    """The statement that keeps a key in the account's hands, without the right to read what it encrypts."""
    verbs = ["Create", "Describe", "Enable", "List", "Put", "Update", "Revoke", "Disable", "Get", "Delete"]
    return allow(
        [f"kms:{verb}*" for verb in verbs]
        + ["kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"],
        "*",
        Sid="Administration",
        Principal={"AWS": _root()},
    )


def _root() -> Json:
    return sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")


def _backup() -> Json:
    """Copies that outlive a mistake with the table itself; point-in-time recovery goes when the table goes."""
    copy = [{"DestinationBackupVaultArn": ref("BackupCopyVaultArn"), "Lifecycle": {"DeleteAfterDays": KEPT_DAYS}}]
    return {
        "BackupVault": resource(
            "Backup::BackupVault",
            {"BackupVaultName": sub("${AWS::StackName}-table"), "BackupVaultTags": dict(TAGS)},
            only="HasBackup",
            kept=True,
            checkov={"CKV_AWS_166": "AWS's own key of Backup costs nothing; the table's key guards its content"},
        ),
        "BackupPlan": resource(
            "Backup::BackupPlan",
            {
                "BackupPlan": {
                    "BackupPlanName": sub("${AWS::StackName}-table"),
                    "BackupPlanRule": [
                        {
                            "RuleName": "daily",
                            "TargetBackupVault": ref("BackupVault"),
                            "ScheduleExpression": "cron(0 9 * * ? *)",
                            "Lifecycle": {"DeleteAfterDays": KEPT_DAYS},
                            "CopyActions": when("CopiesBackups", copy),
                        }
                    ],
                },
                "BackupPlanTags": dict(TAGS),
            },
            only="HasBackup",
        ),
        "BackupSelection": resource(
            "Backup::BackupSelection",
            {
                "BackupPlanId": ref("BackupPlan"),
                "BackupSelection": {
                    "SelectionName": "table",
                    "IamRoleArn": att("BackupRole"),
                    "Resources": [att("Table")],
                },
            },
            only="HasBackup",
        ),
        "BackupRole": _backup_role(),
    }


def _backup_role() -> Json:
    vault = att("BackupVault", "BackupVaultArn")
    return resource(
        "IAM::Role",
        {
            "Description": "AWS Backup reads the table by it",
            "AssumeRolePolicyDocument": trust("backup.amazonaws.com"),
            "Policies": [
                {
                    "PolicyName": "backup",
                    "PolicyDocument": policy(
                        allow(
                            ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"],
                            att("Table"),
                        ),
                        allow(["backup:DescribeBackupVault"], vault),
                        when("CopiesBackups", allow(["backup:CopyFromBackupVault"], vault)),
                        when(
                            "CopiesBackups",
                            allow(
                                ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"], ref("BackupCopyVaultArn")
                            ),
                        ),
                        when(
                            "HasOwnKey",
                            allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], att("DataKey")),
                        ),
                    ),
                }
            ],
            "Tags": tags(),
        },
        only="HasBackup",
    )
