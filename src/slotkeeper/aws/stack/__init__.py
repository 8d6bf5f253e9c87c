"""Writes the one CloudFormation template from plain dicts; `template.json` beside this package is what it writes."""

import json

from slotkeeper.aws.stack import (
    answers,
    api,
    data,
    functions,
    messages,
    options,
    parameters,
    people,
    roles,
    stage,
    watching,
)
from slotkeeper.aws.stack.functions import PAGES_URL
from slotkeeper.aws.stack.language import Json, att, joined, ref, sub

DESCRIPTION = "Slotkeeper: appointment scheduling that never double-books, reminds on time, and gets time zones right"


def template() -> Json:
    """The template, as CloudFormation takes it."""
    snapshot = joined(api.resources(), answers.resources())
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": DESCRIPTION,
        "Metadata": {"AWS::CloudFormation::Interface": parameters.interface()},
        "Parameters": parameters.parameters(),
        "Rules": parameters.rules(),
        "Mappings": parameters.mappings(),
        "Conditions": {**parameters.CONDITIONS, **stage.conditions()},
        "Resources": joined(
            data.resources(),
            functions.resources(),
            roles.resources(),
            messages.resources(),
            snapshot,
            stage.resources(snapshot),
            people.resources(),
            watching.resources(),
            options.resources(),
        ),
        "Outputs": outputs(),
    }


def written() -> str:
    """The template as text: what is committed."""
    return json.dumps(template(), indent=1, ensure_ascii=False) + "\n"


def outputs() -> Json:
    """What a deployed stack tells of itself."""
    address = sub("https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}")
    board = sub(
        "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#dashboards:name=${Dashboard}"
    )
    return {
        "ApiUrl": _output("Where the API is.", address),
        "ApiId": _output("The API's id.", ref("Api")),
        "StageName": _output("The first part of the API's path.", ref("StageName")),
        "ApiKeyId": _output(
            "The id of the first key; its value: aws apigateway get-api-key.", ref("ApiKey"), "UsesApiKeys"
        ),
        "PagesUrl": _output("Where the pages are, for SLOTKEEPER_PUBLIC_URL.", PAGES_URL, "ServesPages"),
        "DomainTarget": _output(
            "What DomainName must be an alias of in the DNS.", att("Domain", "RegionalDomainName"), "HasDomain"
        ),
        "TableName": _output("The table.", ref("Table")),
        "EventTopicArn": _output("The topic that is told of events.", ref("EventTopic")),
        "AlarmTopicArn": _output("The topic that is told of alarms.", ref("AlarmTopic")),
        "AsideQueueUrl": _output("The queue of stream records that could not be planned.", ref("AsideQueue")),
        "DeadLetterQueueUrl": _output("The queue of what failed for good.", ref("DeadLetterQueue")),
        "DashboardUrl": _output("The dashboard.", board),
        "UserPoolId": _output("The user pool.", ref("UserPool"), "UsesCognito"),
        "UserPoolClientId": _output("The user pool's client.", ref("UserPoolClient"), "UsesCognito"),
    }


def _output(meaning: str, value: Json, only: str = "") -> Json:
    return {"Description": meaning, **({"Condition": only} if only else {}), "Value": value}
