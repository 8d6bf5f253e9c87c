"""Code lies in a bucket of ours alone, under a name that follows from its contents."""

import json
import sys
from email.message import Message
from uuid import uuid4

import pytest
from click.testing import CliRunner

from slotkeeper.cli.main import cli
from tests.aws.cloud import Cloud, answering, template
from tests.aws.emulator import REGION

pytestmark = pytest.mark.slow


def test_the_code_lies_in_a_private_bucket_under_its_contents(cloud: Cloud) -> None:
    what = template()
    what["Parameters"] |= {name: {"Type": "String"} for name in ("CodeBucket", "CodeKey", "Architecture")}
    s3, bucket = cloud.emulator.client("s3"), f"code-{uuid4().hex[:8]}"

    said = cloud.deploy(what, "--bucket", bucket, "--architecture", "x86_64").stdout
    first = cloud.parameters()
    again = cloud.deploy(what, "--bucket", bucket).stdout

    assert f"Made the bucket {bucket}" in said
    assert "Made the bucket" not in again
    assert "Nothing changes" in again, "the same contents have the same key"
    assert (first["CodeBucket"], first["Architecture"]) == (bucket, "x86_64")
    assert s3.head_object(Bucket=bucket, Key=first["CodeKey"])["ContentLength"] > 1_000_000
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert "AES256" in json.dumps(s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"])
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 2, "one package and one template, however often they are deployed"


def test_the_usual_bucket_is_named_for_account_and_region(cloud: Cloud) -> None:
    cloud.deploy(template())

    names = [each["Name"] for each in cloud.emulator.client("s3").list_buckets()["Buckets"]]
    assert f"slotkeeper-code-000000000000-{REGION}" in names


def test_a_package_is_written_and_its_size_and_key_are_told(cloud: Cloud) -> None:
    run = CliRunner().invoke
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    said = run(cli, ["aws", "package", "--architecture", "x86_64", "--python", version])
    bucket = f"code-{uuid4().hex[:8]}"
    sources = run(cli, ["aws", "package", "--sources-only", "--output", "b.zip", "--bucket", bucket, "--json"])

    size = (cloud.folder / "slotkeeper-x86_64.zip").stat().st_size
    assert f"{size:,} bytes" in said.stdout, said.output
    assert "slotkeeper/" in said.stdout
    facts = json.loads(sources.stdout)
    assert facts["size"] == (cloud.folder / "b.zip").stat().st_size < size
    assert facts["architecture"] == "arm64"
    stored = cloud.emulator.client("s3").head_object(Bucket=bucket, Key=facts["key"])
    assert stored["ContentLength"] == facts["size"]


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"Resources": 1}'])
def test_what_is_no_template_is_told_of(cloud: Cloud, text: str) -> None:
    (cloud.folder / "t.json").write_text(text)

    assert "t.json is no" in cloud("deploy", "--template", "t.json", code=1).stderr
    assert "No such file" in cloud("deploy", "--template", "u.json", code=1).stderr


def test_a_bucket_of_somebody_else_gets_no_code(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, "") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        said = cloud.deploy(template(), "--bucket", "theirs", code=1).stderr

    assert "the bucket theirs belongs to another account" in said
    assert "--bucket NAME" in said
    assert not cloud.is_there()


def test_every_call_on_a_bucket_that_is_there_says_whose_it_must_be(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners: dict[str, str] = {}

    def note(call: str, headers: Message) -> None:
        owners[call] = headers.get("x-amz-expected-bucket-owner", "")

    with answering(200, "", note, of_head=404) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        cloud.deploy(template(), "--bucket", "ours", code=1)

    assert owners.pop("PUT /ours") == "", "nobody can own what is being made"
    assert len(owners) >= 7, f"head twice, four settings, one upload: {owners}"
    assert set(owners.values()) == {"000000000000"}
