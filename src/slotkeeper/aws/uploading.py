"""The bucket of code: private, encrypted, and what lies there is named by its contents, so nothing is overwritten."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotkeeper.aws.account import Account, code_of, told
from slotkeeper.aws.hindered import Hindered
from slotkeeper.aws.packing import Package

FOLDER = "slotkeeper"
_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})
_FOREIGN = frozenset({"403", "AccessDenied", "BucketAlreadyExists", "Forbidden"})
_US_EAST_1 = "us-east-1"
"""The one region that create_bucket takes as no location (S3 API, CreateBucket)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A bucket for code. Every call names the account that must own it: its name can be guessed, so somebody else could
    have made it first and would be given our code, or give us theirs."""

    account: Account
    bucket: str

    def ensure(self) -> bool:
        """Make the bucket unless it is there; returns whether it was made.

        One that is there stays as it is. A new one is private, encrypted, keeps old versions, and speaks TLS only.

        Raises:
            Hindered: it belongs to somebody else, or may not be made.
        """
        s3 = self._s3()
        if self._found(s3.head_bucket):
            return False
        place = {"LocationConstraint": self.account.region}
        located = {} if self.account.region == _US_EAST_1 else {"CreateBucketConfiguration": place}
        with told():
            try:
                s3.create_bucket(Bucket=self.bucket, **located)
            except s3.exceptions.BucketAlreadyExists as error:
                raise self._foreign() from error
            self._close(s3)
        return True

    def put_package(self, package: Package) -> str:
        """Upload the zip unless it is there; returns its key."""
        key = package_key(package)
        self._put(key, package.path.read_bytes())
        return key

    def put_template(self, template: Mapping[str, Any]) -> str:
        """Upload the template unless it is there; returns the address that CloudFormation reads it from."""
        body = json.dumps(template, indent=1).encode()
        key = f"{FOLDER}/{hashlib.sha256(body).hexdigest()[:32]}.template.json"
        self._put(key, body)
        return f"{self._s3().meta.endpoint_url}/{self.bucket}/{key}"

    def _put(self, key: str, body: bytes) -> None:
        s3 = self._s3()
        if self._found(s3.head_object, Key=key):
            return
        with told():
            s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ChecksumAlgorithm="SHA256",
                ExpectedBucketOwner=self.account.id,
            )

    def _found(self, head: Any, **more: str) -> bool:
        from botocore.exceptions import ClientError

        with told():
            try:
                head(Bucket=self.bucket, ExpectedBucketOwner=self.account.id, **more)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return False
                if code_of(error) in _FOREIGN:
                    raise self._foreign() from error
                raise
        return True

    def _close(self, s3: Any) -> None:
        """Shut the new bucket to everyone but the account."""
        ours = {"Bucket": self.bucket, "ExpectedBucketOwner": self.account.id}
        everything = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(**ours, PublicAccessBlockConfiguration=dict.fromkeys(everything, True))
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(**ours, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_bucket_versioning(**ours, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_policy(**ours, Policy=json.dumps(self._tls_only()))

    def _tls_only(self) -> dict[str, Any]:
        arn = f"arn:{self.account.partition}:s3:::{self.bucket}"
        statement = {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _s3(self) -> Any:
        return self.account.client("s3")

    def _foreign(self) -> Hindered:
        return Hindered(
            f"the bucket {self.bucket} belongs to another account, or these credentials may not use it",
            "Name a bucket of yours: --bucket NAME",
        )


def shelf(account: Account, bucket: str | None = None) -> Shelf:
    """The bucket of that name; without one `slotkeeper-code-ACCOUNT-REGION`."""
    return Shelf(account=account, bucket=bucket or f"slotkeeper-code-{account.id}-{account.region}")


def package_key(package: Package) -> str:
    """What the zip is called in the bucket: the same contents have the same key."""
    return f"{FOLDER}/{package.digest[:32]}.zip"


def read_template(path: Path) -> dict[str, Any]:
    """The CloudFormation template in that JSON file.

    Raises:
        Hindered: the file cannot be read, or holds no template.
    """
    try:
        template = json.loads(path.read_bytes())
    except OSError as error:
        raise Hindered(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Hindered(f"{path} is no JSON: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise Hindered(f"{path} is no CloudFormation template: it has no Resources")
    return template
