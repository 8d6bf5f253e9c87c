"""API Gateway's proxy events as requests of the web layer, its responses as proxy answers, and who asks by Cognito."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import unquote, urlencode

from slotkeeper.core.actor import Actor, Scope
from slotkeeper.core.errors import Invalid
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.web.http import Request, Response
from slotkeeper.web.routes import ID
from slotkeeper.web.table import ALL, API, RESERVED, ROUTES

GATEWAYS_OWN = "x-api-key"
"""The header with the usage plan's key. It is API Gateway's and none of ours, though the embedded home reads one of
ours there: on AWS ours comes in `Authorization` alone."""

BUSINESS = "slotkeeper-business"
"""The header by which one who belongs to several businesses says which is meant."""

CUSTOMERS: frozenset[Scope] = frozenset({"read", "book"})
"""The most that one who acts for one customer may do, as with API keys."""

MAX_ANSWER_BYTES = 6 * 1024 * 1024 - 1024
"""Lambda: an answer has at most 6 MB, as JSON. API Gateway itself refuses bodies of more than 10 MB."""

MOST_BYTES_A_CHARACTER = 12
"""In JSON that is written in ASCII: two escapes of six bytes each."""

VISITORS_DOOR = "/{business}"
"""How the resources begin that stand open where visitors may book: any first segment comes by them that has no
resource of its own."""

ABOUT = frozenset(route.pattern.split("/")[1] for route in ROUTES if route not in API)
"""What comes by the visitors' door too: the pages about the API."""

_BEGUN = frozenset(route.pattern.split("/")[1] for route in ALL)
NOWHERE = "/%"
"""A path at which nothing is: no id has a `%`."""

_BASE = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_PARAMETER = re.compile(r"{(\w+)\+?}")
_GROUP = re.compile(r"(?P<business>[A-Za-z0-9_.:@+-]{1,128})/(?P<scope>[a-z]+)")
_BETWEEN_GROUPS = re.compile(r"[\s,\[\]\"']+")
_TEXT = re.compile(r"text/|application/([a-z0-9.+-]+\+)?(json|xml|yaml)\b|application/javascript\b|image/svg\+xml\b")
_SENT_RAW = ":/@!$'(),;*?"
_SCOPES = frozenset(get_args(Scope))

TOLD_TO_SCRIPTS = "etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after"
"""Headers of ours that a page of another origin may read (Fetch standard, CORS-exposed headers)."""

Event = Mapping[str, Any]


def request_of(event: Event, *, believes_claims: bool = False) -> Request:
    """The request that an event of a REST API's proxy integration carries.

    With `believes_claims` an authorizer of API Gateway has checked who asks. What it found out comes in the event's
    context alone, where no caller can write.
    """
    headers = _headers(event)
    headers.pop(GATEWAYS_OWN, None)
    context = event.get("requestContext") or {}
    asked = _asked(event)
    claims = (context.get("authorizer") or {}).get("claims") if believes_claims else None
    return Request(
        event["httpMethod"],
        _path(event["resource"], asked),
        _query(event),
        headers,
        _body(event),
        (context.get("identity") or {}).get("sourceIp") or "",
        claims if isinstance(claims, dict) else {},
        _base(event["path"], asked, context),
    )


def answer_of(request: Request, response: Response) -> dict[str, Any]:
    """The answer in the form of a proxy integration. HEAD is answered without a body."""
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name, []).append(value)
    body = b"" if request.method == "HEAD" else response.body
    media = headers.get("content-type", [""])[0]
    is_text = not body or _TEXT.match(media) is not None
    return {
        "statusCode": response.status,
        "multiValueHeaders": headers,
        "body": body.decode() if is_text else base64.b64encode(body).decode(),
        "isBase64Encoded": not is_text,
    }


def cross_origin(origin: str) -> dict[str, list[str]]:
    """The headers by which a browser lets pages of that origin read an answer; none without an origin. What a browser
    asks beforehand API Gateway answers itself."""
    if not origin:
        return {}
    return {"access-control-allow-origin": [origin], "access-control-expose-headers": [TOLD_TO_SCRIPTS]}


def check_size(answer: Mapping[str, Any]) -> None:
    """Raises `Invalid` for an answer that is larger than Lambda can give back."""
    if len(answer["body"]) * MOST_BYTES_A_CHARACTER < MAX_ANSWER_BYTES // 2:
        return
    size = len(json.dumps(answer))
    if size > MAX_ANSWER_BYTES:
        raise Invalid(f"the answer has {size:,} bytes, {MAX_ANSWER_BYTES:,} can be sent: ask for less at a time")


def by_claims(request: Request) -> Actor:
    """Who asks, by what API Gateway's authorizer has read in an ID token of a Cognito user pool.

    Groups are called `<business>/<scope>`, such as `clinic/read`, and mean the same as the scopes of an API key.
    `custom:customer` limits one to a customer. Access tokens are not believed: they lack that limit.

    Raises:
        Unauthenticated: there are no claims, or not those of an ID token. Invalid: it is not said which business.
    """
    claims = request.claims
    subject, customer = str(claims.get("sub", "")), claims.get("custom:customer")
    is_good = ID.match(subject) and (customer is None or ID.match(str(customer)))
    if claims.get("token_use") != "id" or not is_good:
        raise Unauthenticated("there is no ID token of the user pool, or it does not say who asks")
    business, scopes = _business(_granted(claims.get("cognito:groups")), request.headers.get(BUSINESS, ""))
    if customer is not None:
        scopes &= CUSTOMERS
    return Actor(business=business, id=subject, scopes=scopes, customer_id=str(customer or ""))


def _business(granted: Mapping[str, frozenset[Scope]], asked: str) -> tuple[str, frozenset[Scope]]:
    """The business that is meant and what one may do there: nothing, where one does not belong.

    Raises:
        Invalid: one belongs to several, and did not say which is meant.
    """
    if not asked and len(granted) > 1:
        raise Invalid("you belong to several businesses: name the one that you mean", field="Slotkeeper-Business")
    business = asked or next(iter(granted), "")
    return (business, granted[business]) if business in granted else ("", frozenset())


def _granted(groups: object) -> dict[str, frozenset[Scope]]:
    """The scopes by business. API Gateway hands the list of groups on as text, in one of several forms: `a/read,b/book`
    or `[a/read b/book]`."""
    granted: dict[str, frozenset[Scope]] = {}
    names = groups if isinstance(groups, list) else _BETWEEN_GROUPS.split(str(groups or ""))
    for name in names:
        form = _GROUP.fullmatch(str(name))
        if form is not None and form["scope"] in _SCOPES:
            scope: Scope = form["scope"]  # type: ignore[assignment] # it was just looked up
            granted[form["business"]] = granted.get(form["business"], frozenset()) | {scope}
    return granted


def _headers(event: Event) -> dict[str, str]:
    """The headers by name in lower case, those that come more than once joined (RFC 9110 5.3)."""
    several: Mapping[str, list[str]] = event.get("multiValueHeaders") or {}
    if not several:
        several = {name: [value] for name, value in (event.get("headers") or {}).items()}
    headers: dict[str, str] = {}
    for name, values in several.items():
        key, text = name.lower(), ", ".join(values)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _asked(event: Event) -> str:
    """Where the request goes, encoded as it was sent. It is put together from the resource, before which stands neither
    a stage nor the base path of a custom domain."""
    parameters: Mapping[str, str] = event.get("pathParameters") or {}
    path = _PARAMETER.sub(lambda found: parameters.get(found[1]) or "", event["resource"])
    if event["path"].endswith("/") and not path.endswith("/"):
        path += "/"  # API Gateway lets it pass; the web layer knows no such address
    return path


def _path(resource: str, asked: str) -> str:
    """Where the request goes, decoded; nowhere, when it came by a door that is not its own.

    Each resource of the API has its door: a key, a token, or none. By the visitors' door comes whatever begins like no
    other resource: written as `/%61ppointments`, or because its own door is not there, what is not open came by it.
    """
    path = unquote(asked)
    first = path.split("/")[1]
    if not resource.startswith(VISITORS_DOOR):
        return path if first in _BEGUN else NOWHERE
    if first not in RESERVED:
        return path
    return path if first in ABOUT and asked.split("/")[1] == first else NOWHERE


def _base(path: str, asked: str, context: Mapping[str, Any]) -> str:
    """Where the API is mounted, which is what all addresses of ours begin with: the stage at the API's own name, and at
    a domain of one's own what its base path mapping says, `path` then including it. Anything else is no base: what a
    caller has written must not become the beginning of a link."""
    stage = f"/{context.get('stage') or ''}"
    if context.get("path") == stage + path:
        base = stage
    else:
        base = unquote(path).removesuffix(unquote(asked))
        base = base if base + unquote(asked) == unquote(path) else ""
    return base if _BASE.fullmatch(base) else ""


def _query(event: Event) -> str:
    """The query string. API Gateway has decoded it, so it is written anew, each value as often as it came."""
    several = event.get("multiValueQueryStringParameters")
    values = several or event.get("queryStringParameters") or {}
    return urlencode(values, doseq=True, safe=_SENT_RAW, errors="surrogatepass")


def _body(event: Event) -> bytes:
    text: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            pass  # it is no Base64 then, nor what any route takes
    return text.encode(errors="surrogatepass")
