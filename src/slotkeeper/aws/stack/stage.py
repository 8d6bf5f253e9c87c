"""How the API is deployed: its snapshots, the stage with its limits and logs, keys, and a domain of one's own."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

from slotkeeper.aws.stack.api import ORIGIN_VARIABLE
from slotkeeper.aws.stack.functions import log_group
from slotkeeper.aws.stack.language import (
    Json,
    allow,
    att,
    both,
    condition,
    neither,
    policy,
    ref,
    resource,
    sub,
    tags,
    when,
)
from slotkeeper.aws.stack.roles import trust

CHOICES = {
    "UsesCognito": ("Keys", "Tokens"),
    "OpensToVisitors": ("Callers", "Visitors"),
    "OpensToMembers": ("NoStaff", "Staff"),
    "AnswersOtherOrigins": ("OneOrigin", "TwoOrigins"),
}
"""The conditions that change what the API is, each with a word for false and for true. A deployment is a snapshot, and
CloudFormation makes a new one only for a new resource: so there is one for each way in which these can be chosen."""

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "traceId": "$context.xrayTraceId",
    "time": "$context.requestTime",
    "address": "$context.identity.sourceIp",
    "keyId": "$context.identity.apiKeyId",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "functionMilliseconds": "$context.integrationLatency",
    "error": "$context.error.responseType",
}
"""What is noted of each request: its path as the API knows it, and the key's id; no body, no key, no token."""

Choice = tuple[bool, ...]


def choices() -> list[Choice]:
    return list(itertools.product((False, True), repeat=len(CHOICES)))


def variant(choice: Choice) -> str:
    return "".join(words[is_true] for words, is_true in zip(CHOICES.values(), choice, strict=True))


def conditions() -> Json:
    """One for each way in which the API can be: exactly one of them holds."""
    return {
        f"Is{variant(choice)}": both(
            *(
                condition(name) if is_true else neither(condition(name))
                for name, is_true in zip(CHOICES, choice, strict=True)
            )
        )
        for choice in choices()
    }


def resources(api: Json) -> Json:
    """`api` is all that a deployment is a snapshot of."""
    made = {deployment_id(choice, api): _deployment(choice, api) for choice in choices()}
    return made | {
        "Stage": _stage(api),
        "AccessLogs": log_group(sub("/slotkeeper/${AWS::StackName}/requests")),
        # API Gateway would make it by itself, and keep it for ever.
        "ExecutionLogs": log_group(sub("API-Gateway-Execution-Logs_${Api}/${StageName}")),
        "ApiLogRole": _log_role(),
        "ApiAccount": _account(),
        **_keys(),
        **_domain(),
    }


def deployment_id(choice: Choice, api: Json) -> str:
    """Another one whenever the API is another: so CloudFormation takes a new snapshot, and drops the old one."""
    digest = hashlib.sha256(json.dumps(api, sort_keys=True).encode()).hexdigest()
    return f"Deployment{variant(choice)}{digest[:10]}"


def _deployment(choice: Choice, api: Mapping[str, Any]) -> Json:
    chosen = dict(zip(CHOICES, choice, strict=True))
    chosen["ServesPages"] = chosen["OpensToVisitors"] or chosen["OpensToMembers"]
    parts = [name for name, part in api.items() if name != "Api" and chosen.get(part.get("Condition", ""), True)]
    return resource(
        "ApiGateway::Deployment",
        {"RestApiId": ref("Api"), "Description": variant(choice)},
        only=f"Is{variant(choice)}",
        after=sorted(parts),
        checkov={"CKV_AWS_217": "the next deployment stands before the stage leaves this one: see Stage"},
    )


def _deployed(api: Json) -> Json:
    first, *others = choices()
    chosen: Json = ref(deployment_id(first, api))
    for choice in others:
        chosen = when(f"Is{variant(choice)}", ref(deployment_id(choice, api)), chosen)
    return chosen


def _stage(api: Json) -> Json:
    return resource(
        "ApiGateway::Stage",
        {
            "RestApiId": ref("Api"),
            "StageName": ref("StageName"),
            # Named here so that the role is set before the stage asks for it, where this stack sets it.
            "Description": when(
                "SetsApiLogRole", sub("Writes its logs by ${ApiAccount}"), "Writes its logs by a given role"
            ),
            "DeploymentId": _deployed(api),
            "TracingEnabled": True,
            "Variables": when("AnswersOtherOrigins", {ORIGIN_VARIABLE: ref("AllowedOrigin")}),
            "AccessLogSetting": {"DestinationArn": att("AccessLogs"), "Format": json.dumps(ACCESS_LOG)},
            "MethodSettings": [
                {
                    "HttpMethod": "*",
                    "ResourcePath": "/*",
                    "LoggingLevel": "ERROR",
                    "DataTraceEnabled": False,
                    "MetricsEnabled": when("HasDetailedMetrics", True, False),
                    "ThrottlingRateLimit": ref("RequestsPerSecond"),
                    "ThrottlingBurstLimit": ref("Burst"),
                }
            ],
            "Tags": tags(),
        },
        after=["ExecutionLogs"],
        checkov={
            "CKV_AWS_120": "what is free must be so now: no answer may come from a cache",
            "CKV2_AWS_4": "errors are logged; each request is in the access log",
            "CKV2_AWS_29": "UseWaf sets one before it, at a price above all else in this stack",
            "CKV2_AWS_51": "callers are known by keys or tokens, not by certificates",
        },
    )


def _log_role() -> Json:
    why = (
        "API Gateway has one role a region for the logs of all its APIs, and asks for these, as its own policy has them"
    )
    return resource(
        "IAM::Role",
        {
            "Description": "API Gateway writes its logs by it, for every API of the account in this region",
            "AssumeRolePolicyDocument": trust("apigateway.amazonaws.com"),
            "Policies": [
                {
                    "PolicyName": "logs",
                    "PolicyDocument": policy(
                        allow(
                            [
                                "logs:CreateLogGroup",
                                "logs:CreateLogStream",
                                "logs:DescribeLogGroups",
                                "logs:DescribeLogStreams",
                                "logs:FilterLogEvents",
                                "logs:GetLogEvents",
                                "logs:PutLogEvents",
                            ],
                            "*",
                        )
                    ),
                }
            ],
            "Tags": tags(),
        },
        only="SetsApiLogRole",
        kept=True,
        checkov={"CKV_AWS_111": why, "CKV_AWS_108": why},
        nag={"AwsSolutions-IAM5[Resource::*]": why},
    )


def _account() -> Json:
    """Kept when the stack goes, as its role is: other APIs of the region may write their logs by it."""
    return resource("ApiGateway::Account", {"CloudWatchRoleArn": att("ApiLogRole")}, only="SetsApiLogRole", kept=True)


def _keys() -> Json:
    return {
        "UsagePlan": resource(
            "ApiGateway::UsagePlan",
            {
                "UsagePlanName": ref("AWS::StackName"),
                "Description": "What each key may send",
                "ApiStages": [{"ApiId": ref("Api"), "Stage": ref("Stage")}],
                "Throttle": {"RateLimit": ref("RequestsPerSecond"), "BurstLimit": ref("Burst")},
                "Quota": {"Limit": ref("DailyQuota"), "Period": "DAY"},
                "Tags": tags(),
            },
            only="UsesApiKeys",
        ),
        "ApiKey": resource(
            "ApiGateway::ApiKey",
            {"Description": sub("The first key of ${AWS::StackName}"), "Enabled": True, "Tags": tags()},
            only="UsesApiKeys",
        ),
        "UsagePlanKey": resource(
            "ApiGateway::UsagePlanKey",
            {"KeyId": ref("ApiKey"), "KeyType": "API_KEY", "UsagePlanId": ref("UsagePlan")},
            only="UsesApiKeys",
        ),
    }


def _domain() -> Json:
    return {
        "Domain": resource(
            "ApiGateway::DomainName",
            {
                "DomainName": ref("DomainName"),
                "RegionalCertificateArn": ref("CertificateArn"),
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "SecurityPolicy": "TLS_1_2",
                "Tags": tags(),
            },
            only="HasDomain",
        ),
        "DomainMapping": resource(
            "ApiGateway::BasePathMapping",
            {"DomainName": ref("Domain"), "RestApiId": ref("Api"), "Stage": ref("Stage")},
            only="HasDomain",
        ),
    }
