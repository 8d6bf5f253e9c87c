"""What can be chosen at each deployment: the parameters in their groups, the conditions on them, and what cannot go
together."""

from slotkeeper.aws.stack.language import Json, both, condition, either, equals, is_given, is_on, neither, ref

ADDRESS = r"^$|^[^@\s<>\"]{1,64}@[A-Za-z0-9.-]{1,253}$"
_ORIGIN = r"https?://[A-Za-z0-9.-]+(:[0-9]+)?"
ORIGIN = f"^$|^{_ORIGIN}$"
ORIGINS = f"^$|^{_ORIGIN}( {_ORIGIN})*$"


def text(meaning: str, default: str | None = None, pattern: str = "", wanted: str = "") -> Json:
    """A parameter of text; without a default it must be given."""
    made: Json = {"Type": "String", "Description": meaning}
    if default is not None:
        made["Default"] = default
    if pattern:
        made |= {"AllowedPattern": pattern, "ConstraintDescription": wanted}
    return made


def one_of(meaning: str, default: str, *others: str) -> Json:
    return text(meaning, default) | {"AllowedValues": [default, *others]}


def switch(meaning: str, default: str = "false") -> Json:
    return text(meaning, default) | {"AllowedValues": ["false", "true"]}


def number(meaning: str, default: int, low: int, high: int) -> Json:
    return {"Type": "Number", "Description": meaning, "Default": default, "MinValue": low, "MaxValue": high}


def names(meaning: str) -> Json:
    """A list of words, with commas between; empty by default."""
    return {"Type": "CommaDelimitedList", "Description": meaning, "Default": ""}


GROUPS: dict[str, dict[str, Json]] = {
    "Code": {
        "CodeBucket": text(
            "The S3 bucket that holds the functions' code.",
            pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            wanted="it must be the name of a bucket",
        ),
        "CodeKey": text(
            "Where the zip of the code lies in that bucket.", pattern="^.+$", wanted="it must not be empty"
        ),
        "PythonRuntime": one_of("The functions' Python.", "python3.13", "python3.11", "python3.12", "python3.14"),
        "Architecture": one_of("The functions' processor; arm64 costs a fifth less.", "arm64", "x86_64"),
        "LogLevel": one_of("The least important messages that are logged.", "info", "debug", "warning", "error"),
        "LogRetentionDays": {
            "Type": "Number",
            "Description": "For how many days logs are kept.",
            "Default": 7,
            "AllowedValues": [1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 400, 545, 731],
        },
        "ReservedConcurrency": number(
            "How many requests are worked on at once at most, out of the account's share; 0: no limit of our own.",
            0,
            0,
            1000,
        ),
    },
    "API": {
        "StageName": text(
            "The stage, which is the first part of the API's path.",
            "v1",
            "^[A-Za-z0-9_-]{1,64}$",
            "it must be 1 to 64 letters, digits, _ or -",
        ),
        "Authentication": one_of(
            "ApiKey: a key of the API's usage plan in X-API-Key, and our own in Authorization. "
            "Cognito: a token of the user pool in Authorization.",
            "ApiKey",
            "Cognito",
        ),
        "AllowedOrigin": text(
            "The origin of a browser application that may call the API (CORS); empty: none may.",
            "",
            ORIGIN,
            "it must be an origin such as https://app.example.com",
        ),
        "RequestsPerSecond": number("How many requests a second the API takes, and each key may send.", 100, 1, 10_000),
        "Burst": number("How many requests above that are taken at once.", 200, 1, 5_000),
        "DailyQuota": number("How many requests a day a key may send.", 200_000, 1, 100_000_000),
        "DomainName": text(
            "A name of yours for the API and the pages, such as book.example.com; empty: AWS's own, with the stage.",
            "",
            r"^$|^[a-z0-9-]+(\.[a-z0-9-]+)+$",
            "it must be a host name in lower case",
        ),
        "CertificateArn": text(
            "The ACM certificate for DomainName, in this region.",
            "",
            r"^$|^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$",
            "it must be the ARN of a certificate",
        ),
        "DetailedMetrics": switch(
            "Whether each path has metrics of its own, at $0.30 a month each; the API as a whole has them free."
        ),
        "SetApiLogRole": switch(
            "Whether this stack sets the role by which API Gateway writes logs, which an account has once a region; "
            "false where it is set.",
            "true",
        ),
        "UseWaf": switch("Whether a web application firewall stands in front: about $8 a month and $0.60 a million."),
    },
    "Pages": {
        "VisitorsMayBook": switch("Whether /public and the booking pages are open to anyone."),
        "StaffPages": switch(
            "Whether members may sign in at /staff, from anywhere, by a password. UseWaf limits who tries them all."
        ),
        "EmbedOrigins": text(
            "The origins whose pages may show the booking pages within them, with blanks between; empty: none may.",
            "",
            ORIGINS,
            "it must be origins such as https://www.example.com with blanks between",
        ),
    },
    "Messages": {
        "FromAddress": text(
            "The address that mail is sent from, verified in SES; empty: messages stay in the outbox.",
            "",
            ADDRESS,
            "it must be a mail address such as desk@example.com",
        ),
        "TextMessages": switch("Whether text messages are sent, by SNS."),
        "EventEmail": text(
            "A mail address that is told of events.", "", ADDRESS, "it must be a mail address such as ops@example.com"
        ),
        "EventHttpsEndpoint": text(
            "An HTTPS address that is told of events.", "", "^$|^https://.+$", "it must begin with https://"
        ),
        "EventQueueArn": text(
            "A queue that is told of events; its policy must let the topic send.",
            "",
            r"^$|^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:.+$",
            "it must be the ARN of a queue",
        ),
        "EventTypes": names("The types of events that are told of, such as appointment.booked; empty: all."),
        "EventBusinesses": names("The businesses whose events are told of; empty: all."),
    },
    "Table": {
        "BillingMode": one_of("Whether the table is paid by request or by capacity.", "PAY_PER_REQUEST", "PROVISIONED"),
        "ReadCapacity": number("Provisioned: the least read units a second.", 5, 1, 40_000),
        "WriteCapacity": number("Provisioned: the least write units a second.", 5, 1, 40_000),
        "MaxCapacity": number("Provisioned: the most units a second, of each, that scaling goes to.", 200, 1, 40_000),
        "OwnKey": switch(
            "Whether the table and the logs are encrypted by a KMS key of this stack ($1 a month) in place of AWS's."
        ),
        "ReplicaRegion": text(
            "A second region that keeps a copy of the table, for a disaster; empty: none. "
            "Writes cost twice as much then, and only one region may ever be written to.",
            "",
            "^$|^[a-z]{2}(-[a-z]+)+-[0-9]$",
            "it must be a region such as us-east-2",
        ),
        "ReplicaKeyArn": text(
            "With OwnKey, the KMS key in the replica's region.",
            "",
            "^$|^arn:[a-z-]+:kms:.+$",
            "it must be the ARN of a KMS key",
        ),
        "UseBackup": switch(
            "Whether AWS Backup keeps daily copies for 35 days, apart from the table's own recovery. "
            "The account's advanced features for DynamoDB must be on there."
        ),
        "BackupCopyVaultArn": text(
            "A backup vault, such as one in another region or account, that gets a copy of each; empty: none.",
            "",
            "^$|^arn:[a-z-]+:backup:.+$",
            "it must be the ARN of a backup vault",
        ),
    },
    "Watching": {
        "AlarmEmail": text(
            "A mail address that is told of alarms.", "", ADDRESS, "it must be a mail address such as ops@example.com"
        ),
        "ConflictsPerFiveMinutes": number(
            "How many refusals because a time is taken, within five minutes, raise the alarm.", 100, 1, 1_000_000
        ),
        "SampleTraces": switch(
            "Whether X-Ray traces one request in fifty, by a rule of ours; otherwise the account's own rules decide: "
            "the usual one takes nearly all, at $5 a million.",
            "true",
        ),
        "UseCompositeAlarm": switch("Whether one more alarm says that any of the serious ones rings: $0.50 a month."),
    },
    "Network": {
        "UseVpc": switch("Whether the functions run within a VPC of yours."),
        "VpcId": text("That VPC.", "", "^$|^vpc-[0-9a-f]+$", "it must be a VPC's id"),
        "SubnetIds": text(
            "Its private subnets, with commas between. Webhooks need a way out: a NAT gateway.",
            "",
            "^$|^subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*$",
            "it must be ids of subnets with commas between",
        ),
        "MakeEndpoints": switch(
            "Whether the stack makes the VPC endpoints that the functions need; false where the VPC has them.", "true"
        ),
        "RouteTableIds": text(
            "The subnets' route tables, with commas between, for the endpoint of DynamoDB.",
            "",
            "^$|^rtb-[0-9a-f]+(,rtb-[0-9a-f]+)*$",
            "it must be ids of route tables with commas between",
        ),
    },
    "Tags": {
        "Project": text("The tag Project, by which costs are told apart.", "slotkeeper"),
        "CostCenter": text("The tag CostCenter.", "none"),
    },
}
"""The parameters, as the console groups them."""


def parameters() -> Json:
    return {name: facts for group in GROUPS.values() for name, facts in group.items()}


def interface() -> Json:
    """How the console groups the parameters."""
    return {
        "ParameterGroups": [{"Label": {"default": label}, "Parameters": list(group)} for label, group in GROUPS.items()]
    }


def mappings() -> Json:
    """What Lambda is told of each level: it must let our metrics pass, which it takes for `INFO`."""
    return {"LambdaLogLevels": {level: {"Level": "DEBUG" if level == "debug" else "INFO"} for level in _LEVELS}}


_LEVELS: list[str] = GROUPS["Code"]["LogLevel"]["AllowedValues"]


def _lists(name: str) -> Json:
    return neither(equals({"Fn::Join": ["", ref(name)]}, ""))


CONDITIONS: dict[str, Json] = {
    "UsesApiKeys": equals(ref("Authentication"), "ApiKey"),
    "UsesCognito": equals(ref("Authentication"), "Cognito"),
    "OpensToVisitors": is_on("VisitorsMayBook"),
    "OpensToMembers": is_on("StaffPages"),
    "ServesPages": either(condition("OpensToVisitors"), condition("OpensToMembers")),
    "KeepsVisitorsToKeys": both(neither(condition("OpensToVisitors")), condition("UsesApiKeys")),
    "KeepsVisitorsToTokens": both(neither(condition("OpensToVisitors")), condition("UsesCognito")),
    "AnswersOtherOrigins": is_given("AllowedOrigin"),
    "HasDomain": is_given("DomainName"),
    "SetsApiLogRole": is_on("SetApiLogRole"),
    "HasDetailedMetrics": is_on("DetailedMetrics"),
    "HasWaf": is_on("UseWaf"),
    "SendsMail": is_given("FromAddress"),
    "SendsTexts": is_on("TextMessages"),
    "TellsByEmail": is_given("EventEmail"),
    "TellsByHttps": is_given("EventHttpsEndpoint"),
    "TellsByQueue": is_given("EventQueueArn"),
    "PicksTypes": _lists("EventTypes"),
    "PicksBusinesses": _lists("EventBusinesses"),
    "PicksEvents": either(condition("PicksTypes"), condition("PicksBusinesses")),
    "IsProvisioned": equals(ref("BillingMode"), "PROVISIONED"),
    "HasOwnKey": is_on("OwnKey"),
    "HasReplica": is_given("ReplicaRegion"),
    "HasReplicaKey": both(condition("HasOwnKey"), condition("HasReplica")),
    "HasBackup": is_on("UseBackup"),
    "CopiesBackups": both(condition("HasBackup"), is_given("BackupCopyVaultArn")),
    "HasAlarmEmail": is_given("AlarmEmail"),
    "SamplesTraces": is_on("SampleTraces"),
    "HasCompositeAlarm": is_on("UseCompositeAlarm"),
    "ReservesConcurrency": neither(equals(ref("ReservedConcurrency"), "0")),
    "HasVpc": both(is_on("UseVpc"), is_given("VpcId"), is_given("SubnetIds")),
    "MakesEndpoints": both(condition("HasVpc"), is_on("MakeEndpoints")),
}


def _needs(asked: Json, *needed: str) -> Json:
    """A rule: where `asked` holds, the `needed` parameters must be given."""
    return {
        "RuleCondition": asked,
        "Assertions": [{"Assert": is_given(name), "AssertDescription": f"{name} must be given too"} for name in needed],
    }


def rules() -> Json:
    """What CloudFormation refuses before it makes anything."""
    return {
        "NetworkIsNamed": _needs(is_on("UseVpc"), "VpcId", "SubnetIds"),
        "TableEndpointHasRoutes": _needs(both(is_on("UseVpc"), is_on("MakeEndpoints")), "RouteTableIds"),
        "DomainHasCertificate": _needs(is_given("DomainName"), "CertificateArn"),
        "ReplicaHasKey": _needs(both(is_on("OwnKey"), is_given("ReplicaRegion")), "ReplicaKeyArn"),
    }
