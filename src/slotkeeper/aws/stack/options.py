"""What most do without, and some must have: a VPC around the functions, and a firewall before the API."""

from typing import Any

from slotkeeper.aws.stack.functions import log_group
from slotkeeper.aws.stack.language import Json, allow, att, policy, ref, resource, split, sub, tags

ENDPOINTS = {
    "Scheduler": "scheduler",
    "Topics": "sns",
    "Queues": "sqs",
    "Mail": "email",
    "Functions": "lambda",
}
"""The services that the functions call, each by an interface endpoint of about $7 a month and subnet. Logs and traces
leave by Lambda itself, and SNS asks KMS by itself: neither needs one."""

HTTPS = 443
OURS_TO_JUDGE = ("SizeRestrictions_BODY", "CrossSiteScripting_BODY")
"""These would refuse a business its own templates, HTML of more than 8 KB: our limits and escaping serve."""
REQUESTS_PER_ADDRESS = 2_000
"""In five minutes; what is above is refused."""


def resources() -> Json:
    return {**_network(), **_firewall()}


def _network() -> Json:
    made: Json = {
        "FunctionSecurityGroup": resource(
            "EC2::SecurityGroup",
            {
                "GroupDescription": "Functions of Slotkeeper: nobody calls them here, they call over TLS",
                "VpcId": ref("VpcId"),
                "SecurityGroupEgress": [_tls("To AWS, and to webhooks", CidrIp="0.0.0.0/0")],
                "Tags": tags(),
            },
            only="HasVpc",
        ),
        "EndpointSecurityGroup": resource(
            "EC2::SecurityGroup",
            {
                "GroupDescription": "VPC endpoints that the functions of Slotkeeper call",
                "VpcId": ref("VpcId"),
                "SecurityGroupIngress": [
                    _tls("From the functions", SourceSecurityGroupId=att("FunctionSecurityGroup", "GroupId"))
                ],
                "SecurityGroupEgress": [_tls("Endpoints answer, and call nobody", CidrIp="127.0.0.1/32")],
                "Tags": tags(),
            },
            only="MakesEndpoints",
        ),
        "TableEndpoint": _endpoint("dynamodb", {"VpcEndpointType": "Gateway", "RouteTableIds": split("RouteTableIds")}),
    }
    for name, service in ENDPOINTS.items():
        made[f"{name}Endpoint"] = _endpoint(
            service,
            {
                "VpcEndpointType": "Interface",
                "PrivateDnsEnabled": True,
                "SubnetIds": split("SubnetIds"),
                "SecurityGroupIds": [att("EndpointSecurityGroup", "GroupId")],
            },
        )
    return made


def _tls(meaning: str, **ends: Any) -> Json:
    return {"Description": meaning, "IpProtocol": "tcp", "FromPort": HTTPS, "ToPort": HTTPS, **ends}


def _endpoint(service: str, kind: Json) -> Json:
    """All of the VPC may use it, as this account: what each may do there its own role says."""
    return resource(
        "EC2::VPCEndpoint",
        {
            "VpcId": ref("VpcId"),
            "ServiceName": sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
            **kind,
            "PolicyDocument": policy(
                allow(
                    ["*"],
                    "*",
                    {"StringEquals": {"aws:PrincipalAccount": ref("AWS::AccountId")}},
                    Principal="*",
                )
            ),
            "Tags": tags(),
        },
        only="MakesEndpoints",
    )


def _firewall() -> Json:
    return {
        "Firewall": resource(
            "WAFv2::WebACL",
            {
                "Description": "Before the API of Slotkeeper",
                "Scope": "REGIONAL",
                "DefaultAction": {"Allow": {}},
                "Rules": [
                    _managed(0, "AWSManagedRulesCommonRuleSet", *OURS_TO_JUDGE),
                    _managed(1, "AWSManagedRulesKnownBadInputsRuleSet"),
                    {
                        "Name": "PerAddress",
                        "Priority": 2,
                        "Action": {"Block": {}},
                        "Statement": {"RateBasedStatement": {"Limit": REQUESTS_PER_ADDRESS, "AggregateKeyType": "IP"}},
                        "VisibilityConfig": _seen("PerAddress"),
                    },
                ],
                "VisibilityConfig": _seen("Firewall"),
                "Tags": tags(),
            },
            only="HasWaf",
        ),
        "FirewallAssociation": resource(
            "WAFv2::WebACLAssociation",
            {
                "ResourceArn": sub("arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}"),
                "WebACLArn": att("Firewall"),
            },
            only="HasWaf",
        ),
        # The name must begin so.
        "FirewallLogs": log_group(sub("aws-waf-logs-${AWS::StackName}"), only="HasWaf"),
        "FirewallLogging": resource(
            "WAFv2::LoggingConfiguration",
            {
                "ResourceArn": att("Firewall"),
                "LogDestinationConfigs": [
                    sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${FirewallLogs}")
                ],
                # Keys and sessions; and the path, in which the links of customers stand.
                "RedactedFields": [
                    *({"SingleHeader": {"Name": name}} for name in ("authorization", "cookie", "x-api-key")),
                    {"UriPath": {}},
                ],
            },
            only="HasWaf",
        ),
    }


def _managed(priority: int, name: str, *counted: str) -> Json:
    """A group of AWS's rules; those that are `counted` refuse nothing."""
    overrides = [{"Name": rule, "ActionToUse": {"Count": {}}} for rule in counted]
    group = {"VendorName": "AWS", "Name": name, **({"RuleActionOverrides": overrides} if overrides else {})}
    return {
        "Name": name,
        "Priority": priority,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": group},
        "VisibilityConfig": _seen(name),
    }


def _seen(name: str) -> Json:
    return {"MetricName": name, "CloudWatchMetricsEnabled": True, "SampledRequestsEnabled": False}
