"""Settings: where they come from, which wins, and what is said of those that cannot be used."""

import dataclasses
import re
from pathlib import Path

import pytest

from slotkeeper.settings import CONFIG_FILE, Settings, WrongSettings, entries, load
from tests.reference_pages import FOLDER, settings_page


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def complaints(environ: dict[str, str], toml: str = "") -> str:
    """What is said of the settings, which must be refused."""
    if toml:
        Path(CONFIG_FILE).write_text(toml)
    with pytest.raises(WrongSettings) as caught:
        load(environ)
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    assert load({}) == Settings()
    assert load({}).database == "slotkeeper.db"


def test_the_file_in_the_working_directory_is_read() -> None:
    Path(CONFIG_FILE).write_text('port = 8123\n[smtp]\nhost = "mail.example.com"\nfrom_address = "a@example.com"\n')

    settings = load({})

    assert (settings.port, settings.smtp.host, settings.smtp.port) == (8123, "mail.example.com", 587)


def test_the_environment_wins_over_the_file_and_the_command_line_over_both() -> None:
    Path(CONFIG_FILE).write_text('port = 8001\nhost = "::1"\ndatabase = "file.db"\n')

    settings = load({"SLOTKEEPER_PORT": "8002", "SLOTKEEPER_HOST": "localhost"}, given={"port": "8003"})

    assert (settings.port, settings.host, settings.database) == (8003, "localhost", "file.db")


def test_a_named_file_is_read_in_place_of_the_usual_one(tmp_path: Path) -> None:
    Path(CONFIG_FILE).write_text("port = 8001\n")
    (tmp_path / "other.toml").write_text("port = 8002\n")
    (tmp_path / "third.toml").write_text("port = 8003\n")

    assert load({"SLOTKEEPER_CONFIG": "other.toml"}).port == 8002
    assert load({"SLOTKEEPER_CONFIG": "other.toml"}, Path("third.toml")).port == 8003


def test_every_setting_can_be_set_from_the_environment_alone() -> None:
    samples: dict[str, tuple[str, object]] = {
        "trusted_proxies": ("2", 2),
        "log.level": ("debug", "debug"),
        "log.format": ("json", "json"),
        "smtp.security": ("tls", "tls"),
        "smtp.from_address": ("a@example.com", "a@example.com"),
        "public_url": ("https://example.com/", "https://example.com/"),
        "pages.embed_origins": ("https://a.example http://b.example:81", "https://a.example http://b.example:81"),
        "oidc.issuer": ("https://login.example.com/x", "https://login.example.com/x"),
        "aws.allowed_origin": ("https://example.com", "https://example.com"),
        "aws.from_address": ("a@example.com", "a@example.com"),
    }
    for entry in entries():
        if entry.name not in samples:
            kinds: dict[type, tuple[str, object]] = {int: ("1025", 1025), bool: ("yes", True), str: ("word", "word")}
            samples[entry.name] = kinds[type(entry.default)]
        if entry.name.endswith("timeout_seconds"):
            samples[entry.name] = ("7", 7)

    settings = load({entry.variable: samples[entry.name][0] for entry in entries()})

    for entry in entries():
        value: object = settings
        for part in entry.name.split("."):
            value = getattr(value, part)
        assert value == samples[entry.name][1], entry.name


def test_no_two_settings_share_a_variable() -> None:
    variables = [entry.variable for entry in entries()]

    assert len(variables) == len(set(variables))


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("SLOTKEEPER_PROT", "SLOTKEEPER_PORT"),
        ("SLOTKEEPER_SMTP_HOTS", "SLOTKEEPER_SMTP_HOST"),
        ("SLOTKEEPER_CONFG", "SLOTKEEPER_CONFIG"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_known(variable: str, nearest: str) -> None:
    assert complaints({variable: "1"}) == f"there is no setting {variable}: did you mean {nearest}?"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("prot = 1", "there is no setting 'prot': did you mean port?"),
        ("[smtp]\nhots = 1", "there is no setting 'smtp.hots': did you mean smtp.host?"),
        ("[qqqq]\nx = 1", "there is no setting 'qqqq': see docs/reference/settings.md"),
        ("smtp = 1", "there is no setting 'smtp'"),
        ("port = '80'", "port in slotkeeper.toml must be a whole number from 1 to 65535, not '80'"),
        ("port = true", "port in slotkeeper.toml must be a whole number from 1 to 65535, not True"),
        ("[port]\nx = 1", "port in slotkeeper.toml must be a whole number from 1 to 65535, not {'x': 1}"),
        ("trusted_proxies = -1", "trusted_proxies in slotkeeper.toml must be a whole number from 0 to 10, not -1"),
        ("= 1", "the settings file slotkeeper.toml is not TOML"),
    ],
)
def test_a_wrong_line_of_the_file_is_told_of(toml: str, said: str) -> None:
    assert said in complaints({}, toml)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("SLOTKEEPER_PORT", "0", "a whole number from 1 to 65535"),
        ("SLOTKEEPER_PORT", "80a", "a whole number from 1 to 65535"),
        ("SLOTKEEPER_PORT", "9" * 5000, "a whole number from 1 to 65535"),
        ("SLOTKEEPER_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("SLOTKEEPER_WORKER_ENABLED", "maybe", "true or false"),
        ("SLOTKEEPER_PUBLIC_URL", "book.example.com", "an address such as https://book.example.com"),
        ("SLOTKEEPER_SMTP_FROM_ADDRESS", "desk", "a mail address such as desk@example.com"),
        ("SLOTKEEPER_DATABASE", " ", "a path"),
    ],
)
def test_a_wrong_value_says_which_setting_what_it_got_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    said = complaints({variable: value})

    assert said.startswith(f"{variable} must be {allowed}, not ")
    assert value[:40] in said
    assert len(said) < 250


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert complaints({"SLOTKEEPER_PORT": "x", "SLOTKEEPER_LOG_LEVEL": "y"}, "zzz = 1").count("\n") == 2


def test_a_secret_is_never_shown() -> None:
    environ = {"SLOTKEEPER_SMTP_PASSWORD": "hunter2", "SLOTKEEPER_SMTP_USERNAME": "desk"}

    assert "hunter2" not in repr(load(environ))
    assert "hunter2" not in complaints({"SLOTKEEPER_SMTP_PASSWORD": "hunter2\0"})


def test_settings_that_need_one_another_are_checked() -> None:
    assert "smtp.from_address is needed" in complaints({"SLOTKEEPER_SMTP_HOST": "mail.example.com"})
    assert "smtp.username is needed" in complaints({"SLOTKEEPER_SMTP_PASSWORD": "x"})


def test_a_file_that_is_missing_or_no_text_is_told_of(tmp_path: Path) -> None:
    assert "none.toml cannot be read: No such file" in complaints({"SLOTKEEPER_CONFIG": "none.toml"})
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    assert "bad.toml is not TOML" in complaints({"SLOTKEEPER_CONFIG": "bad.toml"})


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), "http://127.0.0.1:8000"),
        (Settings(host="0.0.0.0", port=9000), "http://127.0.0.1:9000"),
        (Settings(host="::1"), "http://[::1]:8000"),
        (Settings(public_url="https://book.example.com/"), "https://book.example.com"),
    ],
)
def test_links_lead_to_the_public_address_or_to_where_the_server_listens(settings: Settings, url: str) -> None:
    assert settings.base_url == url


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc] # this is what the test is about


def test_the_page_of_settings_lists_each_as_it_is() -> None:
    page = (FOLDER / "settings.md").read_text("utf-8")

    assert page == settings_page(), "remake it with: python -m tests.reference_pages"
    assert all(re.search(rf"^\| `{re.escape(entry.name)}` \|", page, re.MULTILINE) for entry in entries())


@pytest.mark.parametrize(
    "issuer", ["http://login.example.com", "login.example.com", "https://", "https://a.example?x=1"]
)
def test_an_openid_provider_is_asked_by_https(issuer: str) -> None:
    assert "SLOTKEEPER_OIDC_ISSUER must be an address" in complaints({"SLOTKEEPER_OIDC_ISSUER": issuer})


def test_an_openid_provider_needs_to_know_us_and_where_we_are() -> None:
    known = {"SLOTKEEPER_OIDC_ISSUER": "https://login.example.com"}
    registered = known | {"SLOTKEEPER_OIDC_CLIENT_ID": "us", "SLOTKEEPER_OIDC_CLIENT_SECRET": "s3cret"}

    assert "oidc.client_id" in complaints(known)
    assert "public_url" in complaints(registered)
    assert load(registered | {"SLOTKEEPER_PUBLIC_URL": "https://book.example.com"}).oidc.client_id == "us"
    assert "s3cret" not in repr(load(registered | {"SLOTKEEPER_PUBLIC_URL": "https://book.example.com"}))
