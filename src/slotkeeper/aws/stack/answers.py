"""What API Gateway answers by itself: the same problem documents, with the same code words, as our own code."""

import json
from dataclasses import dataclass

from slotkeeper.aws.stack.api import ORIGIN_VARIABLE
from slotkeeper.aws.stack.language import Json, ref, resource


@dataclass(frozen=True, slots=True)
class Told:
    """One kind of refusal, told by the code word of ours that says the same; `later`: when to try again, in seconds."""

    code: str
    detail: str
    status: int = 0
    later: int = 0


NOT_NOW = "the service cannot answer now; what became of the request is not known: try again"

TOLD: dict[str, Told] = {
    "ACCESS_DENIED": Told("forbidden", "these credentials do not reach here"),
    "API_CONFIGURATION_ERROR": Told("unexpected", "something went wrong here: try again later"),
    "AUTHORIZER_CONFIGURATION_ERROR": Told("unexpected", "something went wrong here: try again later"),
    "AUTHORIZER_FAILURE": Told("unexpected", "something went wrong here: try again later"),
    "BAD_REQUEST_BODY": Told("malformed", "the body must be a JSON object"),
    "BAD_REQUEST_PARAMETERS": Told("malformed", "a parameter cannot be read"),
    "DEFAULT_4XX": Told("malformed", "the request cannot be read", 400),
    "DEFAULT_5XX": Told("unexpected", "something went wrong here: try again later", 500),
    "EXPIRED_TOKEN": Told("unauthenticated", "the token has expired", 401),
    "INTEGRATION_FAILURE": Told("unreachable", NOT_NOW, 503, 1),
    "INTEGRATION_TIMEOUT": Told("unreachable", NOT_NOW, 503, 1),
    "INVALID_API_KEY": Told("forbidden", "send a key of the API's usage plan in X-API-Key"),
    "INVALID_SIGNATURE": Told("forbidden", "the signature is not good"),
    "MISSING_AUTHENTICATION_TOKEN": Told("no-route", "nothing is at this path", 404),
    "QUOTA_EXCEEDED": Told("limited", "this key has sent all the requests that it may in a day", 429, 3600),
    "REQUEST_TOO_LARGE": Told("too-large", "the body is too large"),
    "RESOURCE_NOT_FOUND": Told("no-route", "nothing is at this path"),
    "THROTTLED": Told("limited", "too many requests: try again in a moment", 429, 1),
    "UNAUTHORIZED": Told("unauthenticated", "send a good token of the user pool in Authorization"),
    "UNSUPPORTED_MEDIA_TYPE": Told("wrong-media", "send the body as application/json"),
    "WAF_FILTERED": Told("forbidden", "the request looks like an attack"),
}
"""By API Gateway's own names. An unknown path it calls a missing token."""


def resources() -> Json:
    return {f"Told{_words(name)}": _response(name, told) for name, told in TOLD.items()}


def _words(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _response(name: str, told: Told) -> Json:
    # Imported here: whoever only reads the template need not load the whole API.
    from slotkeeper.web.problems import MEDIA, TABLE

    kind = next(each for each in TABLE.values() if each.code == told.code)
    body = {
        "type": f"/docs#{kind.code}",
        "title": kind.title,
        "status": told.status or kind.status,
        "detail": told.detail,
        "code": kind.code,
        "error": told.detail,
    }
    headers = {
        "Access-Control-Allow-Origin": f"stageVariables.{ORIGIN_VARIABLE}",
        "Cache-Control": "'no-store'",
        "Content-Type": f"'{MEDIA}'",
    }
    if told.later:
        headers["Retry-After"] = f"'{told.later}'"
    if told.code == "unauthenticated":
        headers["WWW-Authenticate"] = "'Bearer realm=\"slotkeeper\"'"
    return resource(
        "ApiGateway::GatewayResponse",
        {
            "RestApiId": ref("Api"),
            "ResponseType": name,
            "StatusCode": str(told.status or kind.status),
            "ResponseParameters": {f"gatewayresponse.header.{header}": value for header, value in headers.items()},
            "ResponseTemplates": {"application/json": json.dumps(body)},
        },
    )
