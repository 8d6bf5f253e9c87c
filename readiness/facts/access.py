"""Facts of access: who may ask the API, how often, and what each part may do in the account."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from readiness.checks import Finding
from readiness.facts.reading import each_says, named, property_of, says
from readiness.template import Json, Template, shown
from slotkeeper.settings import DEFAULT_REGION

ASKED_REGION = "us-west-1"
OPEN_PATHS = ("health",)
NAMELESS = ("ec2:", "logs:", "xray:", "sns:Publish")
"""Calls that know no resource to name beforehand; `sns:Publish` to a phone number."""

_SECRET = re.compile(r"AKIA[0-9A-Z]{16}|sk_\w{8,}|-----BEGIN|(?i:secret|password|token)\w*\"\s*:\s*\"[^\"{$]{8,}")


@dataclass(frozen=True, slots=True)
class _Grant:
    role: str
    actions: tuple[str, ...]
    on: str
    conditions: Json


def rest_api(template: Template) -> Iterator[Finding]:
    """The API and its paths of appointments."""
    for id, api in template.all("ApiGateway::RestApi").items():
        yield property_of(id, api, "Types", ["REGIONAL"])
    paths = template.all("ApiGateway::Resource")
    yield Finding(
        f"{len(paths)} paths, with {named(sorted(each for each in paths if 'ppointments' in each))}", bool(paths)
    )
    yield property_of("PostAppointments", template.properties("PostAppointments"), "HttpMethod", "POST")


def keys(template: Template) -> Iterator[Finding]:
    """That every path asks for a key of the usage plan, save the open one."""
    closed, left_open = _methods(template)
    yield from each_says(closed, "methods", "ApiKeyRequired", True)
    yield _only_health(left_open)


def tokens(template: Template) -> Iterator[Finding]:
    """That every path asks for a token of the user pool, save the open one."""
    closed, left_open = _methods(template)
    yield from each_says(closed, "methods", "AuthorizationType", "COGNITO_USER_POOLS")
    yield _only_health(left_open)
    yield says(template, "Authorizer", "ProviderARNs", lambda pools: shown(pools) == "UserPool.Arn")


def limits(template: Template) -> Iterator[Finding]:
    """How much may be asked a second and a day."""
    for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        yield says(template, "Stage", name, lambda limit: 0 < float(limit) < 10_000)
    yield says(template, "UsagePlan", "Quota", lambda quota: int(quota["Limit"]) > 0)


def firewall(template: Template) -> Iterator[Finding]:
    """What stands before the API where it is wanted."""
    rules = template.properties("Firewall")["Rules"]
    yield Finding(f"Firewall: rules {named([rule['Name'] for rule in rules])}", bool(rules))
    yield says(template, "FirewallAssociation", "WebACLArn", lambda value: shown(value) == "Firewall.Arn")


def pass_role(template: Template) -> Iterator[Finding]:
    """Who may hand which role on, and to whom."""
    grants = [grant for grant in _grants(template) if "iam:PassRole" in grant.actions]
    for grant in grants:
        to = shown(grant.conditions.get("StringEquals", {}).get("iam:PassedToService", "anybody"))
        holds = grant.on.endswith("Role.Arn") and to == "scheduler.amazonaws.com"
        yield Finding(f"{grant.role}: iam:PassRole on {grant.on} to {to}", holds)


def scheduling(template: Template) -> Iterator[Finding]:
    """That who makes schedules may pass on the role that they run by, and nobody else may."""
    grants = list(_grants(template))
    makers = {grant.role for grant in grants if "scheduler:CreateSchedule" in grant.actions}
    passers = {grant.role for grant in grants if "iam:PassRole" in grant.actions}
    yield Finding(f"scheduler:CreateSchedule: {named(sorted(makers))}", bool(makers) and makers == passers)


def least_privilege(template: Template) -> Iterator[Finding]:
    """What the roles may do, and on what."""
    grants = list(_grants(template))
    actions = [action for grant in grants for action in grant.actions]
    starred = sorted({action for action in actions if "*" in action})
    text = f"{len({grant.role for grant in grants})} roles with {len(actions)} actions, "
    yield Finding(
        text + (f"with a star: {named(starred)}" if starred else "none with a star"), bool(actions) and not starred
    )
    anywhere = sorted({action for grant in grants if grant.on == "*" for action in grant.actions})
    holds = all(action.startswith(NAMELESS) for action in anywhere)
    yield Finding(f"on resources without a name only {named(anywhere)}", holds)


def no_secrets(template: Template) -> Iterator[Finding]:
    """That no secret is written in the template, nor handed to a function."""
    leaks = sorted({each.group()[:12] for each in _SECRET.finditer(json.dumps(template.document))})
    yield Finding(f"secrets in the template: {named(leaks) if leaks else 'none'}", not leaks)
    given = {
        name for function in template.all("Lambda::Function").values() for name in function["Environment"]["Variables"]
    }
    secret = sorted(name for name in given if re.search("SECRET|PASSWORD|TOKEN", name))
    yield Finding(
        f"secrets among the {len(given)} settings of functions: {named(secret) if secret else 'none'}", not secret
    )


def regions(template: Template) -> Iterator[Finding]:
    """That the template is bound to no region, and where it goes when nothing is said."""
    yield Finding(f"region unless another is said: {DEFAULT_REGION}", DEFAULT_REGION == ASKED_REGION)
    written = sorted(set(re.findall(r"\b[a-z]{2}(?:-gov)?-[a-z]+-\d\b", json.dumps(template.document["Resources"]))))
    yield Finding(f"regions written into resources: {named(written) if written else 'none'}", not written)


def resources(template: Template) -> Iterator[Finding]:
    """How much is made with these parameters, and of what kinds."""
    kinds = {facts["Type"] for facts in template.document["Resources"].values()}
    yield Finding(f"{template.count()} resources, of {len(template.document['Resources'])} of {len(kinds)} types")


def tags(template: Template) -> Iterator[Finding]:
    """That what costs money is tagged."""
    kinds = (
        "DynamoDB::GlobalTable", "Lambda::Function", "Logs::LogGroup", "SNS::Topic", "SQS::Queue", "KMS::Key",
        "ApiGateway::Stage", "CloudWatch::Alarm",
    )  # fmt: skip
    things = {id: properties for kind in kinds for id, properties in template.all(kind).items()}
    tagged = [id for id, properties in things.items() if {"Project", "CostCenter"} <= set(_tag_names(properties))]
    bare = sorted(set(things) - set(tagged))
    text = f"{len(tagged)} of {len(things)} resources that cost are tagged Project and CostCenter"
    yield Finding(text + (f"; not {named(bare)}" if bare else ""), bool(things) and not bare)


def _tag_names(properties: Json) -> Iterator[str]:
    for holder in (properties, *properties.get("Replicas", [])):
        tags = holder.get("Tags", [])
        yield from tags if isinstance(tags, dict) else (tag["Key"] for tag in tags)


def _methods(template: Template) -> tuple[dict[str, Json], dict[str, Json]]:
    """The methods that must ask who it is, and those that ask nobody; a browser's preflight carries no key."""
    asked = {id: each for id, each in template.all("ApiGateway::Method").items() if each["HttpMethod"] != "OPTIONS"}
    left_open = {
        id: each for id, each in asked.items() if not each.get("ApiKeyRequired") and each["AuthorizationType"] == "NONE"
    }
    return {id: each for id, each in asked.items() if id not in left_open}, left_open


def _only_health(left_open: dict[str, Json]) -> Finding:
    paths = sorted({id.removeprefix("Any").removeprefix("Get").lower() for id in left_open})
    return Finding(f"open to anyone: {named(paths) or 'nothing'}", paths == list(OPEN_PATHS))


def _grants(template: Template) -> Iterator[_Grant]:
    """What the roles of our own are allowed, statement by statement."""
    for role, properties in template.all("IAM::Role").items():
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                on = shown(statement["Resource"]) if "Resource" in statement else "*"
                listed = (actions,) if isinstance(actions, str) else tuple(actions)
                yield _Grant(role, listed, on, statement.get("Condition", {}))
