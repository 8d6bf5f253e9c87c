"""Three linters judge the template, and each is shown a fault that it must find.

What they object to and we keep has its reason in the Metadata of the resource.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.aws.evaluated import TEMPLATE, Json, committed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
LINTERS = ROOT / ".venv-template" / "bin"
NAG = ROOT / ".nag"
ASK = Path(__file__).parent / "nag" / "ask.mjs"

TAGGED_BY_HAND = {"AWS::DynamoDB::GlobalTable"}
"""Types whose tags stand deeper: each replica has its own."""


def output_of(*command: str | Path, **environ: str) -> str:
    """What a linter says. Its exit code is not looked at: it says the same."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.stdout, done.stderr[-2000:]
    return done.stdout


def linter(name: str) -> Path:
    """The linter's program.

    Raises:
        RuntimeError: it is not installed.
    """
    path = LINTERS / name
    if not path.exists():
        raise RuntimeError(f"{name} is not installed: run `make .venv-template/.stamp`")
    return path


def cfn_lint(template: Path) -> list[str]:
    """Errors, warnings and remarks of cfn-lint, each with its rule first."""
    found = json.loads(
        output_of(linter("cfn-lint"), "--include-checks", "I", "--format", "json", "--template", template)
    )
    return [f"{each['Rule']['Id']} {each['Message']}" for each in found]


def checkov(template: Path) -> Json:
    """Checkov's report, with `summary` and `results`."""
    options = ("--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json")
    report: Json = json.loads(output_of(linter("checkov"), "--file", template, *options))
    return report


def failed(report: Json) -> list[str]:
    return [f"{each['check_id']} {each['resource']}" for each in report.get("results", {}).get("failed_checks", [])]


def cdk_nag(template: Path) -> Json:
    """What cdk-nag's packs AwsSolutions and Serverless say: `objections`, and the `needless` excuses."""
    if not (NAG / ".stamp").exists():
        raise RuntimeError("cdk-nag is not installed: run `make .nag/.stamp`")
    node = linter("node")
    report: Json = json.loads(output_of(node, ASK, template, NAG_PACKAGES=str(NAG)))
    return report


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A template with one queue that has a typing error, no encryption, and no queue for what fails."""
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriods": 60}}
    path = tmp_path / "faulty.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Queue": queue}}))
    return path


def test_cfn_lint_finds_nothing() -> None:
    assert cfn_lint(TEMPLATE) == []


def test_cfn_lint_finds_a_planted_fault(faulty: Path) -> None:
    assert any(each.startswith("E3002") and "MessageRetentionPeriods" in each for each in cfn_lint(faulty))


def test_checkov_finds_nothing() -> None:
    report = checkov(TEMPLATE)

    assert failed(report) == []
    assert report["summary"]["passed"] > 50
    assert report["summary"]["parsing_errors"] == 0


def test_checkov_finds_a_planted_fault(faulty: Path) -> None:
    assert "CKV_AWS_27 AWS::SQS::Queue.Queue" in failed(checkov(faulty))


def test_cdk_nag_finds_nothing_and_excuses_nothing_needlessly() -> None:
    report = cdk_nag(TEMPLATE)

    assert report["objections"] == []
    assert report["needless"] == []
    assert report["resources"] == len(committed()["Resources"])


def test_cdk_nag_finds_a_planted_fault(faulty: Path) -> None:
    faulty.write_text(faulty.read_text().replace("MessageRetentionPeriods", "MessageRetentionPeriod"))

    rules = {each["rule"] for each in cdk_nag(faulty)["objections"]}

    assert {"AwsSolutions-SQS3", "AwsSolutions-SQS4"} <= rules


def test_every_excuse_has_its_reason() -> None:
    for name, each in committed()["Resources"].items():
        metadata = each.get("Metadata", {})
        assert all(len(skip["comment"]) > 20 for skip in metadata.get("checkov", {}).get("skip", [])), name
        excuses = metadata.get("cdk_nag", {}).get("rules_to_suppress", [])
        assert all(len(excuse["reason"]) > 20 for excuse in excuses), name


ASK_FOR_TAGS = """
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
found = {}
for kind in sys.argv[1:]:
    schema = schemas.get_resource_schema("us-west-1", kind).schema
    tagging = schema.get("tagging", {})
    name = tagging.get("tagProperty", "/properties/Tags").rpartition("/")[2]
    if tagging.get("taggable", True) and name in schema["properties"]:
        found[kind] = name
print(json.dumps(found))
"""


def untagged(made: dict[str, Json]) -> list[str]:
    """The resources that could have tags and have not."""
    kinds = sorted({each["Type"] for each in made.values()} - TAGGED_BY_HAND)
    takes: dict[str, str] = json.loads(output_of(linter("python"), "-c", ASK_FOR_TAGS, *kinds))
    return [
        name
        for name, each in made.items()
        if each["Type"] in takes
        and not _names(each["Properties"].get(takes[each["Type"]])) >= {"Project", "CostCenter"}
    ]


def _names(tags: Any) -> set[str]:
    return {each["Key"] for each in tags} if isinstance(tags, list) else set(tags or ())


def test_all_that_takes_tags_has_those_by_which_costs_are_told_apart() -> None:
    made = committed()["Resources"]

    assert untagged(made) == []
    assert all(_names(each.get("Tags")) >= {"Project"} for each in made["Table"]["Properties"]["Replicas"][:1])


def test_a_resource_without_tags_is_seen() -> None:
    made = committed()["Resources"]
    del made["AsideQueue"]["Properties"]["Tags"]

    assert untagged(made) == ["AsideQueue"]
