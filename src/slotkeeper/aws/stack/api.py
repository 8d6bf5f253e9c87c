"""The API: its paths, made from the route table, and what API Gateway checks before it asks the function."""

from collections.abc import Iterable
from dataclasses import dataclass

from slotkeeper.aws.stack.language import Json, att, joined, ref, resource, sub, tags, when

OPEN = frozenset({"/health"})
"""What is asked without any key: a monitor's question."""

PUBLIC = "/public"
VISITORS, MEMBERS, ANYONE = "OpensToVisitors", "OpensToMembers", "ServesPages"
"""The conditions under which pages are there at all: for who books, for who works there, and for either."""

PAGES = {
    "/{business}": VISITORS,
    "/{business}/{proxy+}": VISITORS,
    "/embed.js": VISITORS,
    "/staff": MEMBERS,
    "/staff/{proxy+}": MEMBERS,
    "/visit/{proxy+}": ANYONE,
    "/look/{proxy+}": ANYONE,
    "/static/{proxy+}": ANYONE,
}
"""What people ask by their browsers, who have no key: the pages for visitors and the docs (all that is left of the
route table), those for members, those that a link in a message opens, and what all of them load."""

WHY_OPEN = {
    VISITORS: "pages for visitors; the function asks for a key wherever one is needed",
    MEMBERS: "members sign in there by password; the function asks for their session on every page",
    ANYONE: "opened by a signed link that the function checks, or the same for everybody: styles, scripts, a logo",
}

SMALL_BYTES = 1024
"""Less than this is sent as it is: it fits into one packet anyway."""

PICTURES = ("image/*",)
"""What is sent as bytes: a business's logo. API Gateway goes by what the caller takes first (`Accept`), which for a
picture is one in every browser. Not `*/*`: then its own answers to preflight requests fail, and bodies come encoded."""

BOOKING = "/appointments"
APART = ("/appointments", "/appointments/{id}", "/appointments/{id}/{proxy+}")
"""The paths that stand by themselves, so that the first design's API is seen as it was drawn."""

ALLOWED_HEADERS = "Authorization,Content-Type,Idempotency-Key,If-Match,If-None-Match,Slotkeeper-Business,X-Api-Key"
ORIGIN_VARIABLE = "allowedOrigin"
NO_PREFLIGHT_KEY = "browsers send no key with a preflight request, and its answer holds no data"
ALLOWED_METHODS = "GET,HEAD,POST,PUT,PATCH,DELETE"


def resources() -> Json:
    made: Json = {
        "Api": _api(),
        "RequestValidator": resource(
            "ApiGateway::RequestValidator",
            {"RestApiId": ref("Api"), "ValidateRequestBody": True, "ValidateRequestParameters": True},
        ),
        "BookingModel": _booking_model(),
        "Authorizer": _authorizer(),
    }
    every_path = (*paths(_patterns()), *PAGES)
    folders = ({path_id(path): _path(path)} for path in _with_parents(every_path))
    return joined(made, *folders, *map(_methods, every_path))


def paths(patterns: Iterable[str]) -> list[str]:
    """The paths that API Gateway must know to hand on every one of the patterns: the first segment of each, and
    `{proxy+}` below it where more follows."""
    found = dict.fromkeys(APART)
    for pattern in patterns:
        first, _, rest = pattern[1:].partition("/")
        if f"/{first}" == BOOKING:
            continue
        found[f"/{first}/{{proxy+}}" if rest else f"/{first}"] = None
    return sorted(found)


def path_id(path: str) -> str:
    """The logical id of a path's resource."""
    return "Path" + _words(path)


def _words(path: str) -> str:
    """`/appointments/{id}/{proxy+}` as `AppointmentsByIdRest`: no two paths have the same words."""
    parts = path[1:].replace("{proxy+}", "rest").split("/")
    return "".join(f"By{_title(part[1:-1])}" if part.startswith("{") else _title(part) for part in parts)


def _title(word: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in word.split("."))


def _patterns() -> list[str]:
    # Imported here: whoever only reads the template need not load the whole API.
    from slotkeeper.web.table import API

    return [route.pattern for route in API]


def _with_parents(every: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for path in every:
        parent = path.rpartition("/")[0]
        if parent:
            found[parent] = None
        found[path] = None
    return list(found)


def only_for(path: str) -> str:
    """The condition under which the path is there at all, as itself or as what a page lies below; empty: always."""
    return next((only for page, only in PAGES.items() if f"{page}/".startswith(f"{path}/")), "")


def _path(path: str) -> Json:
    parent, _, part = path.rpartition("/")
    return resource(
        "ApiGateway::Resource",
        {
            "RestApiId": ref("Api"),
            "ParentId": ref(path_id(parent)) if parent else att("Api", "RootResourceId"),
            "PathPart": part,
        },
        only=only_for(path),
    )


def _api() -> Json:
    return resource(
        "ApiGateway::RestApi",
        {
            "Name": ref("AWS::StackName"),
            "Description": "Slotkeeper: appointments, never double-booked",
            "ApiKeySourceType": "HEADER",
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "MinimumCompressionSize": SMALL_BYTES,
            "BinaryMediaTypes": list(PICTURES),
            "Tags": tags(),
        },
    )


def _booking_model() -> Json:
    """No more than "an object": our own code says which field is wrong and why, and is the same in both homes."""
    return resource(
        "ApiGateway::Model",
        {
            "RestApiId": ref("Api"),
            "ContentType": "application/json",
            "Description": "Any JSON object",
            "Schema": {"$schema": "http://json-schema.org/draft-04/schema#", "title": "Booking", "type": "object"},
        },
    )


def _authorizer() -> Json:
    return resource(
        "ApiGateway::Authorizer",
        {
            "RestApiId": ref("Api"),
            "Name": "people",
            "Type": "COGNITO_USER_POOLS",
            "IdentitySource": "method.request.header.Authorization",
            "ProviderARNs": [att("UserPool")],
        },
        only="UsesCognito",
    )


def _methods(path: str) -> Json:
    words = _words(path)
    # Whatever has no method of its own here, the function answers with 405 and the methods that there are.
    made = {f"Any{words}": _method(path, "ANY")}
    if path == BOOKING:
        made[f"Get{words}"] = _method(path, "GET")
        made[f"Post{words}"] = _method(path, "POST", {"RequestModels": {"application/json": ref("BookingModel")}})
    if path not in PAGES:
        made[f"Options{words}"] = _preflight(path)
    return made


def _method(path: str, verb: str, checks: Json | None = None) -> Json:
    door = door_of(path)
    return resource(
        "ApiGateway::Method",
        {
            "RestApiId": ref("Api"),
            "ResourceId": ref(path_id(path)),
            "HttpMethod": verb,
            **door.properties,
            "RequestValidatorId": ref("RequestValidator"),
            **(checks or {}),
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": sub(
                    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31"
                    "/functions/${ConflictDetector.Arn}/invocations"
                ),
            },
        },
        only=only_for(path),
        checkov=door.unchecked,
        nag={"AwsSolutions-APIG4": door.why, "AwsSolutions-COG4": door.why},
    )


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come to a path. `tokens` and `keys` are the conditions under which these are asked for; empty: never."""

    tokens: str
    keys: str
    why: str

    @property
    def properties(self) -> Json:
        if not self.tokens:
            return {"AuthorizationType": "NONE", "ApiKeyRequired": False}
        return {
            "AuthorizationType": when(self.tokens, "COGNITO_USER_POOLS", "NONE"),
            "AuthorizerId": when(self.tokens, ref("Authorizer")),
            "ApiKeyRequired": when(self.keys, True, False),
        }

    @property
    def unchecked(self) -> dict[str, str]:
        return {"CKV_AWS_59": self.why}


def door_of(path: str) -> Door:
    if path in OPEN:
        return Door("", "", "a monitor asks without a key, and learns only that we are up")
    if path in PAGES:
        return Door("", "", WHY_OPEN[PAGES[path]])
    if path.startswith(PUBLIC):
        return Door(
            "KeepsVisitorsToTokens", "KeepsVisitorsToKeys", "open to visitors where the business wants so, by parameter"
        )
    return Door(
        "UsesCognito",
        "UsesApiKeys",
        "by parameter a user pool's token, or a usage plan's key and our own: never neither",
    )


def _preflight(path: str) -> Json:
    """What a browser asks before it lets another origin's page call; answered without the function. The origin comes
    from a variable of the stage, so a new one needs no new deployment."""
    header = "method.response.header.Access-Control-Allow"
    return resource(
        "ApiGateway::Method",
        {
            "RestApiId": ref("Api"),
            "ResourceId": ref(path_id(path)),
            "HttpMethod": "OPTIONS",
            "AuthorizationType": "NONE",
            "ApiKeyRequired": False,
            "RequestValidatorId": ref("RequestValidator"),
            "Integration": {
                "Type": "MOCK",
                "PassthroughBehavior": "WHEN_NO_MATCH",
                "RequestTemplates": {"application/json": '{"statusCode": 204}'},
                "IntegrationResponses": [
                    {
                        "StatusCode": "204",
                        "ResponseParameters": {
                            f"{header}-Origin": f"stageVariables.{ORIGIN_VARIABLE}",
                            f"{header}-Methods": f"'{ALLOWED_METHODS}'",
                            f"{header}-Headers": f"'{ALLOWED_HEADERS}'",
                            "method.response.header.Access-Control-Max-Age": "'7200'",
                        },
                    }
                ],
            },
            "MethodResponses": [
                {
                    "StatusCode": "204",
                    "ResponseParameters": {
                        f"{header}-Origin": True,
                        f"{header}-Methods": True,
                        f"{header}-Headers": True,
                        "method.response.header.Access-Control-Max-Age": True,
                    },
                }
            ],
        },
        only="AnswersOtherOrigins",
        checkov={"CKV_AWS_59": NO_PREFLIGHT_KEY},
    )
