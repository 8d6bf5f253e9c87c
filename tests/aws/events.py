"""Events as AWS sends them: what API Gateway makes of an HTTP request, and what Lambda says of an invocation."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Invocation:
    """Lambda's context; `left` are the milliseconds until it is cut off."""

    aws_request_id: str = "7f6b3a52-invocation"
    left: int = 240_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def an_event(
    method: str,
    target: str,
    body: bytes | None = None,
    *,
    headers: Mapping[str, str | list[str]] | None = None,
    resource: str = "/{proxy+}",
    base: str = "",
    claims: Mapping[str, Any] | None = None,
    is_binary: bool = False,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The event of a REST API's proxy integration for a request to `target`, which is encoded as it was sent.

    The path stays encoded, the query comes decoded; `base` is the path of a custom domain's mapping; `parameters` are
    those of the path, where they are not what the resource names in it.
    """
    path, _, query = target.partition("?")
    several: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        several.setdefault(name, []).append(value)
    sent = {name: [value] if isinstance(value, str) else value for name, value in (headers or {}).items()}
    context: dict[str, Any] = {
        "path": f"{base}{path}" if base else f"/v1{path}",
        "stage": "v1",
        "requestId": "c6af9ac6-gateway",
        "identity": {"sourceIp": "192.0.2.7", "userAgent": "curl/8"},
    }
    if claims is not None:
        context["authorizer"] = {"claims": dict(claims)}
    return {
        "resource": resource,
        "path": base + path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in sent.items()} or None,
        "multiValueHeaders": sent or None,
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": (_parameters(resource, path) if parameters is None else dict(parameters)) or None,
        "stageVariables": None,
        "requestContext": context,
        "body": _sent(body, is_binary=is_binary),
        "isBase64Encoded": is_binary,
    }


def _sent(body: bytes | None, *, is_binary: bool) -> str | None:
    if body is None:
        return None
    return base64.b64encode(body).decode() if is_binary else body.decode(errors="surrogatepass")


def _parameters(resource: str, path: str) -> dict[str, str]:
    """What the path has in the places that the resource names; the last one may be greedy."""
    names, values = resource[1:].split("/"), path.strip("/").split("/")
    found = {}
    for place, name in enumerate(names):
        if name.endswith("+}"):
            found[name[1:-2]] = "/".join(values[place:])
        elif name.startswith("{"):
            found[name[1:-1]] = values[place]
    return found
