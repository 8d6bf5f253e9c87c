"""Asking an OpenID provider who somebody is: authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).

Nothing here touches the store: all of it waits for another server, and is done off the event loop. What the provider
says is believed only when it is signed by one of its keys, with one of the algorithms that we name, for us, now, and in
answer to what we asked.
"""

import base64
import hashlib
import json
import time
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from slotkeeper.core.errors import SlotkeeperError
from slotkeeper.web.provider import Provider

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Those of public keys alone: with `none` anybody could sign, with HS256 whoever knows the public key."""

SECONDS, KNOWN_SECONDS = 5.0, 300.0
MAX_BYTES = 262_144
LEEWAY_SECONDS = 60
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_KINDS = frozenset({"RSA", "EC"})


class NotProved(SlotkeeperError):
    """The provider has not proved who somebody is. The reason is for the log."""


class Places(msgspec.Struct, frozen=True):
    """Where the provider is asked (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Question(msgspec.Struct, frozen=True):
    """What we have asked, and what only the browser that asked knows: it is kept in a cookie until the answer comes."""

    state: str
    nonce: str
    verifier: str
    next: str = ""


def discover(provider: Provider) -> Places:
    """Where the provider is asked. Raises `NotProved` when it does not say, or says that it is another."""
    return _discovered(provider, int(time.monotonic() // KNOWN_SECONDS))


@lru_cache(maxsize=16)
def _discovered(provider: Provider, lately: int) -> Places:
    """What the provider says of itself, asked for once in a while: each sign-in would ask twice."""
    address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        places = msgspec.convert(_asked("GET", address), Places)
    except msgspec.ValidationError as error:
        raise NotProved(f"the provider does not describe itself: {error}") from error
    if places.issuer != provider.issuer:
        raise NotProved("the provider calls itself by another name than the settings do")
    for place in (places.authorization_endpoint, places.token_endpoint, places.jwks_uri):
        _check_place(place)
    return places


def asking(provider: Provider, places: Places, question: Question, back: str) -> str:
    """The address at which a browser asks the provider."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(question.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": "openid email",
        "state": question.state,
        "nonce": question.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in places.authorization_endpoint else "?"
    return f"{places.authorization_endpoint}{joint}{urlencode(asked)}"


def answered(provider: Provider, question: Question, code: str, back: str, now: int) -> str:
    """The mail address of whom the provider has signed in, as it has verified it.

    Raises:
        NotProved: anything about the answer is not as it must be, or the provider cannot be asked.
    """
    places = discover(provider)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": question.verifier}
    headers = {}
    if "client_secret_basic" in places.token_endpoint_auth_methods_supported:
        # RFC 6749 2.3.1: both are form-encoded before they are put together.
        pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    reply = _asked("POST", places.token_endpoint, urlencode(form).encode(), headers)
    token = reply.get("id_token")
    if not isinstance(token, str):
        raise NotProved("the provider gave no ID token")
    return mail_of(token, _asked("GET", places.jwks_uri), provider, question.nonce, now)


def mail_of(token: str, keys: dict[str, Any], provider: Provider, nonce: str, now: int) -> str:
    """The verified mail address in an ID token.

    Raises:
        NotProved: it is not signed by one of the keys, is not for us, not from the provider, over, or does not answer
            what we asked; or the address is not verified.
    """
    claims = _signed(token, keys, provider, nonce, now)
    audience = claims["aud"]
    if audience not in (provider.client_id, [provider.client_id]):
        raise NotProved("the ID token is for others too")
    mail = claims.get("email")
    # Of letters beyond ASCII some become others when the case of an address is passed over.
    if claims.get("email_verified") is not True or not isinstance(mail, str) or not mail or not mail.isascii():
        raise NotProved("the provider has not verified the mail address")
    return mail


def _signed(token: str, keys: dict[str, Any], provider: Provider, nonce: str, now: int) -> dict[str, Any]:
    # Imported here: whoever never asks a provider need not load cryptography.
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    known = keys.get("keys")
    if not isinstance(known, list):
        raise NotProved("the provider shows no keys")
    usable = [key for key in known if isinstance(key, dict) and key.get("kty") in _KINDS and key.get("use") != "enc"]
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        found = jwt.decode(token, KeySet.import_key_set({"keys": usable}), algorithms=list(ALGORITHMS))
        registry.validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise NotProved(f"the ID token is not good: {type(error).__name__}") from error
    return dict(found.claims)


def _check_place(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise NotProved("the provider is asked by https only")


def _asked(method: str, address: str, body: bytes = b"", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at the address. Raises `NotProved` when there is none, or it takes too long or too much."""
    import httpcore

    _check_place(address)
    media = [("content-type", "application/x-www-form-urlencoded")] if body else []
    sent = [("accept", "application/json"), *(headers or {}).items(), *media]
    waits = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
    content = b""
    try:
        with (
            httpcore.ConnectionPool() as pool,
            pool.stream(method, address, headers=sent, content=body or None, extensions={"timeout": waits}) as response,
        ):
            for part in response.iter_stream():
                content += part
                if len(content) > MAX_BYTES:
                    raise NotProved("the provider says too much")
            status = response.status
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
        OSError,
    ) as error:
        raise NotProved(f"the provider cannot be asked: {type(error).__name__}") from error
    if status != 200:
        raise NotProved(f"the provider answered {status}")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotProved("the provider did not answer in JSON") from error
    if not isinstance(value, dict):
        raise NotProved("the provider did not answer with an object")
    return value
