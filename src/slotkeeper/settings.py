"""The only reader of configuration: defaults, then one TOML file, then the environment, then the command line.

Each setting stands here once, with its default, its meaning and what it may be. In TOML it is `smtp.port`, in the
environment `SLOTKEEPER_SMTP_PORT`.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec

from slotkeeper.core.errors import Invalid

PREFIX = "SLOTKEEPER_"
CONFIG_VARIABLE = "SLOTKEEPER_CONFIG"
CONFIG_FILE = "slotkeeper.toml"
DYNAMODB = "dynamodb:"
DEFAULT_REGION = "us-west-1"
MAX_FILE_BYTES = 1_000_000

_SHOWN = 60
_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[A-Za-z0-9.-]{1,253}\Z")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


class WrongSettings(Invalid):
    """Some settings cannot be used; `complaints` says for each what it got and what is allowed."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class Kind(msgspec.Struct, frozen=True):
    """What a setting may be: `allowed` in words, `read` from a TOML value, `parse` from text."""

    allowed: str
    read: Callable[[object], object]
    parse: Callable[[str], object]
    secret: bool = False


def text(allowed: str = "text", accepts: Callable[[str], bool] = lambda value: True, *, secret: bool = False) -> Kind:
    """Text that `accepts` lets through."""

    def read(value: object) -> str:
        if not isinstance(value, str) or "\0" in value or not accepts(value):
            raise ValueError
        return value

    return Kind(allowed, read, lambda value: value, secret)


def whole(low: int, high: int) -> Kind:
    """An int from `low` to `high`."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    def parse(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise ValueError
        return int(value)

    return Kind(f"a whole number from {low} to {high}", read, parse)


def one_of(*choices: str) -> Kind:
    """One of a few words."""
    return text("one of " + ", ".join(choices), lambda value: value in choices)


def switch() -> Kind:
    """A bool; as text also yes, no, on, off, 1 and 0."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - every wrong value is told of in the same way
        return value

    def parse(value: str) -> bool:
        if value.lower() not in _TRUE | _FALSE:
            raise ValueError
        return value.lower() in _TRUE

    return Kind("true or false", read, parse)


def _is_origin(value: str) -> bool:
    parts = urlsplit(value)
    return not value or (parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query)


def _is_issuer(value: str) -> bool:
    """Whether it is one by https, or on this machine (OpenID Connect Discovery 1.0, 3)."""
    parts = urlsplit(value)
    is_here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    return not value or ((parts.scheme == "https" or is_here) and bool(parts.hostname) and not parts.query)


def _are_origins(value: str) -> bool:
    """Whether each word is an origin and no more: `https://www.example.com`, with a port perhaps."""
    return all(_ORIGIN.fullmatch(each) for each in value.split())


def setting(default: Any, meaning: str, kind: Kind) -> Any:
    """A field that is a setting."""
    return field(default=default, repr=not kind.secret, metadata={"meaning": meaning, "kind": kind})


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What the server writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "The least important messages that are logged.", one_of("debug", "info", "warning", "error")
    )
    format: Literal["text", "json"] = setting(
        "text", "`text` for people, `json` for programs: one object a line.", one_of("text", "json")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one caller may ask for."""

    key_per_minute: int = setting(60_000, "Requests a minute with one API key.", whole(1, 10_000_000))
    address_per_minute: int = setting(600, "Requests a minute from one address without a key.", whole(1, 10_000_000))
    body_bytes: int = setting(65_536, "The largest request body.", whole(1024, 10_485_760))


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """The mail server. Without a host messages stay in the outbox: `slotkeeper outbox`."""

    host: str = setting("", "The mail server's name; empty: messages stay in the outbox.", text())
    port: int = setting(587, "The mail server's port.", whole(1, 65_535))
    username: str = setting("", "Who logs in; empty: nobody does.", text())
    password: str = setting("", "The password that goes with `smtp.username`.", text(secret=True))
    security: Literal["starttls", "tls", "none"] = setting(
        "starttls",
        "How mail is encrypted on its way; `none` only within one machine.",
        one_of("starttls", "tls", "none"),
    )
    from_address: str = setting(
        "",
        "The address that messages come from; needed with `smtp.host`.",
        text("a mail address such as desk@example.com", lambda value: not value or bool(_ADDRESS.match(value))),
    )
    timeout_seconds: int = setting(30, "How long one step of the conversation may take.", whole(1, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Calls to other programs."""

    timeout_seconds: int = setting(10, "How long an endpoint may take to answer.", whole(1, 60))
    allow_private: bool = setting(
        False, "Call also http:// and private addresses: for tests and closed networks only.", switch()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The loop in the server's process that sends what is due."""

    enabled: bool = setting(True, "Whether this server sends reminders and notices.", switch())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages for visitors."""

    embed_origins: str = setting(
        "",
        "The origins whose pages may show the booking page within them, with blanks between; empty: none may.",
        text("origins such as https://www.example.com", _are_origins),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """Signing in to the pages for members by an OpenID provider, beside the password."""

    issuer: str = setting(
        "",
        "The OpenID provider, as it calls itself; empty: members sign in by password alone.",
        text("an address such as https://login.example.com", _is_issuer),
    )
    client_id: str = setting("", "The name under which the server is registered there.", text())
    client_secret: str = setting("", "The secret that goes with `oidc.client_id`.", text(secret=True))
    name: str = setting("your organisation", "What stands on the button after `Sign in with`.", text("a name", bool))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """The home on AWS. The template sets these for its functions; nobody else needs them."""

    schedule_group: str = setting("", "The EventBridge schedule group of our alarms.", text())
    schedule_role: str = setting("", "The ARN of the role that EventBridge Scheduler takes on.", text())
    reminder_sender: str = setting("", "The ARN of the function that delivers.", text())
    dead_letters: str = setting("", "The ARN of the queue for alarms that could not be delivered.", text())
    aside_url: str = setting("", "The queue for stream records that could not be read.", text())
    topic: str = setting("", "The ARN of the SNS topic that is told of events; empty: none is.", text())
    from_address: str = setting(
        "",
        "The address that SES sends from; empty: messages stay in the outbox.",
        text("a mail address such as desk@example.com", lambda value: not value or bool(_ADDRESS.match(value))),
    )
    sms: bool = setting(False, "Whether text messages are sent, by SNS.", switch())
    allowed_origin: str = setting(
        "",
        "The origin whose pages may call the API from a browser; empty: none may.",
        text("an origin such as https://www.example.com", _is_origin),
    )
    cognito: bool = setting(False, "Whether API Gateway has checked who asks, by a Cognito user pool.", switch())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked."""

    database: str = setting(
        "slotkeeper.db",
        "The SQLite file, or `dynamodb:TABLE`.",
        text("a path", lambda value: bool(value.strip())),
    )
    host: str = setting("127.0.0.1", "The address to listen on; 0.0.0.0 for all.", text("a host", bool))
    port: int = setting(8000, "The port to listen on.", whole(1, 65_535))
    public_url: str = setting(
        "",
        "Where customers reach the server, for links in messages; empty: `http://host:port`.",
        text("an address such as https://book.example.com", _is_origin),
    )
    trusted_proxies: int = setting(
        0, "How many proxies stand in front and add to `X-Forwarded-For`; with 0 it is not believed.", whole(0, 10)
    )
    log: Log = field(default_factory=Log)
    limits: Limits = field(default_factory=Limits)
    smtp: Smtp = field(default_factory=Smtp)
    webhooks: Webhooks = field(default_factory=Webhooks)
    worker: Worker = field(default_factory=Worker)
    pages: Pages = field(default_factory=Pages)
    oidc: Oidc = field(default_factory=Oidc)
    aws: Aws = field(default_factory=Aws)

    @property
    def table(self) -> str:
        """The DynamoDB table that `database` names; empty when it names a file."""
        return self.database.removeprefix(DYNAMODB) if self.database.startswith(DYNAMODB) else ""

    @property
    def base_url(self) -> str:
        """`public_url`, or where the server listens; without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = "127.0.0.1" if self.host == "0.0.0.0" else host  # noqa: S104 - compared, not listened on
        return (self.public_url or f"http://{shown}:{self.port}").rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """How this process reaches AWS, by the variables that every AWS tool reads. Without an endpoint each service has
    its usual one; `app` names us in the User-Agent of calls. `function` is the Lambda function that we are; empty
    elsewhere."""

    region: str = DEFAULT_REGION
    endpoint: str = ""
    dynamodb_endpoint: str = ""
    key_id: str = ""
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    app: str = ""
    function: str = ""


def aws_access(environ: Mapping[str, str] | None = None) -> AwsAccess:
    """What the environment says of AWS; the region is `us-west-1` when it says none."""
    environ = os.environ if environ is None else environ
    endpoint = environ.get("AWS_ENDPOINT_URL", "")
    return AwsAccess(
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
        endpoint=endpoint,
        dynamodb_endpoint=environ.get("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
        key_id=environ.get("AWS_ACCESS_KEY_ID", ""),
        secret=environ.get("AWS_SECRET_ACCESS_KEY", ""),
        token=environ.get("AWS_SESSION_TOKEN", ""),
        app=environ.get("AWS_SDK_UA_APP_ID", ""),
        function=environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
    )


class Entry(msgspec.Struct, frozen=True):
    """One setting as it is documented; `name` is its name in TOML, with its table."""

    name: str
    variable: str
    default: Any
    meaning: str
    kind: Kind


def entries() -> Iterator[Entry]:
    """Every setting, in the order in which they stand in this file."""
    for path, each in _fields(Settings):
        name = ".".join(path)
        variable = PREFIX + "_".join(path).upper()
        yield Entry(name, variable, each.default, each.metadata["meaning"], each.metadata["kind"])


def load(
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
    given: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of this process.

    `environ` is the process's own when it is None; `config` the TOML file, before the one that `SLOTKEEPER_CONFIG`
    names and the `slotkeeper.toml` of the working directory; `given` what the command line says, by name in TOML.

    Raises:
        WrongSettings: a setting is unknown or wrong, or the file cannot be read; all that is wrong is told at once.
    """
    environ = os.environ if environ is None else environ
    known = {entry.name: entry for entry in entries()}
    complaints: list[str] = []
    values = _from_file(_config_path(environ, config), known, complaints)
    values |= _from_environment(environ, known, complaints)
    for name, value in (given or {}).items():
        _take(known[name], value, f"--{name.rpartition('.')[2].replace('_', '-')}", values, complaints)
    if complaints:
        raise WrongSettings(complaints)
    settings: Settings = _built(Settings, values, "")
    _check_together(settings)
    return settings


def _fields(section: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field[Any]]]:
    hints = get_type_hints(section)
    for each in fields(section):
        if each.default is MISSING:
            yield from _fields(hints[each.name], (*path, each.name))
        else:
            yield (*path, each.name), each


def _config_path(environ: Mapping[str, str], config: Path | None) -> Path | None:
    """The file to read; None when nobody named one and there is none."""
    if config is not None:
        return config
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    usual = Path(CONFIG_FILE)
    return usual if usual.exists() else None


def _from_file(path: Path | None, known: Mapping[str, Entry], complaints: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    if path is None:
        return values
    import tomllib  # only here: functions on AWS have no file

    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES)
        tables = tomllib.loads(content.decode())
    except OSError as error:
        complaints.append(f"the settings file {path} cannot be read: {error.strerror}")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        complaints.append(f"the settings file {path} is not TOML: {error}")
    else:
        tables_of_known = {name.partition(".")[0] for name in known if "." in name}
        for name, value in _flat(tables, tables_of_known):
            if name in known:
                _keep(known[name], value, f"{name} in {path}", values, complaints)
            else:
                complaints.append(f"{path}: there is no setting {name!r}{_nearest(name, known)}")
    return values


def _flat(tables: Mapping[str, object], sections: set[str], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tables.items():
        if isinstance(value, dict) and (prefix or name in sections):
            yield from _flat(value, set(), f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _from_environment(
    environ: Mapping[str, str], known: Mapping[str, Entry], complaints: list[str]
) -> dict[str, object]:
    by_variable = {entry.variable: entry for entry in known.values()}
    values: dict[str, object] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if variable in by_variable:
            _take(by_variable[variable], value, variable, values, complaints)
        else:
            nearest = _nearest(variable, [*by_variable, CONFIG_VARIABLE])
            complaints.append(f"there is no setting {variable}{nearest}")
    return values


def _take(entry: Entry, value: str, source: str, values: dict[str, object], complaints: list[str]) -> None:
    """Keep a value that came as text."""
    try:
        parsed = entry.kind.parse(value)
    except ValueError:
        complaints.append(_wrong(entry, value, source))
    else:
        _keep(entry, parsed, source, values, complaints)


def _keep(entry: Entry, value: object, source: str, values: dict[str, object], complaints: list[str]) -> None:
    try:
        values[entry.name] = entry.kind.read(value)
    except ValueError:
        complaints.append(_wrong(entry, value, source))


def _wrong(entry: Entry, value: object, source: str) -> str:
    shown = "a value that is not shown" if entry.kind.secret else _cut(repr(value))
    return f"{source} must be {entry.kind.allowed}, not {shown}"


def _cut(shown: str) -> str:
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def _nearest(name: str, known: Any) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f": did you mean {close[0]}?" if close else ": see docs/reference/settings.md"


def _built(section: Any, values: Mapping[str, object], prefix: str) -> Any:
    hints = get_type_hints(section)
    parts: dict[str, object] = {}
    for each in fields(section):
        name = prefix + each.name
        if each.default is MISSING:
            parts[each.name] = _built(hints[each.name], values, name + ".")
        elif name in values:
            parts[each.name] = values[name]
    return section(**parts)


def _check_together(settings: Settings) -> None:
    """Raises `WrongSettings` for settings that need one another."""
    smtp = settings.smtp
    if smtp.host and not smtp.from_address:
        raise WrongSettings(["smtp.from_address is needed when smtp.host is set: the address that messages come from"])
    if smtp.password and not smtp.username:
        raise WrongSettings(["smtp.username is needed when smtp.password is set: who logs in"])
    oidc = settings.oidc
    if oidc.issuer and not (oidc.client_id and oidc.client_secret):
        raise WrongSettings(["oidc.client_id and oidc.client_secret are needed when oidc.issuer is set"])
    if oidc.issuer and not settings.public_url:
        raise WrongSettings(["public_url is needed when oidc.issuer is set: the provider sends members back there"])
