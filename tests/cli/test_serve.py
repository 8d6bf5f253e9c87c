"""Serving, in a process of its own: the demonstration answers, stops when told to, and says when the port is taken."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from slotkeeper.cli.complaints import Needs
from slotkeeper.cli.serving import listen, plan_of
from slotkeeper.core.errors import Invalid
from slotkeeper.settings import Settings, Smtp, load
from tests.cli.command_line import Shell

SECONDS = 20
OBEYING_MODES = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
"""Root writes to every file, whatever its mode says, save without these capabilities."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, *args: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own; its output goes to `out` and `err` in the folder."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        server = subprocess.Popen(
            [sys.executable, "-m", "slotkeeper", *args],
            cwd=folder,
            stdout=out,
            stderr=err,
            env={**os.environ, **environ},
        )
        try:
            yield server
        finally:
            server.kill()
            server.wait()


def can_obey_modes() -> bool:
    return os.geteuid() != 0 or shutil.which(OBEYING_MODES[0]) is not None


def obeying_modes() -> tuple[str, ...]:
    return OBEYING_MODES if os.geteuid() == 0 else ()


def wait_for(url: str) -> httpx.Response:
    end = time.monotonic() + SECONDS
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _signed_in(staff: str, text: str) -> httpx.Response:
    """The staff page, as the owner sees it who signs in with the password that was printed."""
    [email] = re.findall(r"(\S+) \(owner\)", text)
    [password] = re.findall(r"Password: +(\S+)", text)
    answer = httpx.post(f"{staff}/sign-in", data={"email": email, "password": password})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return httpx.get(staff, headers={"cookie": cookie})


@pytest.mark.slow
def test_the_demonstration_is_served_and_its_key_works(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "demo", "--serve", "--port", str(port)) as server:
        assert wait_for(f"http://127.0.0.1:{port}/health").status_code == 200
        text = (tmp_path / "out").read_text()
        [key, url] = re.findall(r"Bearer (sk_\w+)' '(\S+)'", text)[0]
        answer = httpx.get(url, headers={"authorization": f"Bearer {key}"})
        addresses = re.findall(rf"http://127\.0\.0\.1:{port}/[^\s']*", text)
        [staff] = [each for each in addresses if "/staff/" in each]
        for address in set(addresses) - {staff}:
            assert httpx.get(address, headers={"authorization": f"Bearer {key}"}).status_code == 200, address
        assert _signed_in(staff, text).status_code == 200
        server.send_signal(signal.SIGTERM)
        code = server.wait(SECONDS)

    assert len(answer.json()["items"]) == 3
    assert code in (0, -signal.SIGTERM)
    assert "Traceback" not in (tmp_path / "err").read_text()


@pytest.mark.slow
def test_the_commands_work_beside_a_running_server(shell: Shell) -> None:
    shell.a_practice()
    key = shell.json("keys", "create", "x", "--scope", "read", "--scope", "staff")["secret"]
    port = free_port()
    with running(shell.folder, "serve", SLOTKEEPER_PORT=str(port), SLOTKEEPER_LOG_FORMAT="json"):
        url = f"http://127.0.0.1:{port}/appointments"
        wait_for(url)
        made = shell.json("book", "visit", "2026-11-24 09:00")
        answer = httpx.get(f"{url}/{made['id']}", headers={"authorization": f"Bearer {key}"})

        assert answer.json()["status"] == "booked"
        assert "in use" in shell.complaint("restore", "slotkeeper.db", "--yes", code=1)


@pytest.mark.slow
def test_logs_in_json_are_json(shell: Shell) -> None:
    shell.a_practice()
    port = free_port()
    with running(shell.folder, "serve", "--port", str(port), SLOTKEEPER_LOG_FORMAT="json"):
        wait_for(f"http://127.0.0.1:{port}/health")

    lines = [line for line in (shell.folder / "err").read_text().splitlines() if line.startswith("{")]
    assert lines
    assert all({"timestamp", "level", "logger", "message"} <= json.loads(line).keys() for line in lines)


def test_a_port_that_is_taken_is_told_of_with_the_setting_to_change(shell: Shell) -> None:
    shell.a_practice()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        for command in (("serve",), ("demo", "--serve")):
            said = shell.complaint(*command, "--port", port, code=1)

            assert f"port {port} on 127.0.0.1 is taken by another program" in said
            assert "--port, SLOTKEEPER_PORT, or `port` in slotkeeper.toml" in said
    assert [each["name"] for each in shell.json("keys", "list")] == ["first key"]


def test_serving_nothing_is_refused(shell: Shell) -> None:
    assert "slotkeeper demo --serve" in shell.complaint("serve", code=1)


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="no host"):
        listen(Settings(host="no.such.host.invalid"))
    with pytest.raises(Needs, match="cannot be used"):
        listen(Settings(host="192.0.2.1", port=9))


def test_the_settings_become_the_plan() -> None:
    environ = {
        "SLOTKEEPER_SMTP_HOST": "mail.example.com",
        "SLOTKEEPER_SMTP_FROM_ADDRESS": "desk@example.com",
        "SLOTKEEPER_SMTP_SECURITY": "tls",
        "SLOTKEEPER_LIMITS_KEY_PER_MINUTE": "7",
        "SLOTKEEPER_LIMITS_ADDRESS_PER_MINUTE": "8",
        "SLOTKEEPER_LIMITS_BODY_BYTES": "2048",
        "SLOTKEEPER_TRUSTED_PROXIES": "1",
        "SLOTKEEPER_WEBHOOKS_ALLOW_PRIVATE": "yes",
        "SLOTKEEPER_WORKER_ENABLED": "no",
        "SLOTKEEPER_PUBLIC_URL": "https://book.example.com/",
    }

    plan = plan_of(load(environ))

    assert plan.smtp is not None
    assert (plan.smtp.host, plan.smtp.sender, plan.smtp.security) == ("mail.example.com", "desk@example.com", "tls")
    assert (plan.rules.key_quota.size, plan.rules.address_quota.size, plan.rules.max_body_bytes) == (7, 8, 2048)
    assert (plan.rules.trusted_proxies, plan.webhooks.is_private_allowed, plan.delivers) == (1, True, False)
    assert plan.rules.takes_http_hooks
    assert plan.base_url == "https://book.example.com"
    assert plan_of(Settings(smtp=Smtp())).smtp is None


@pytest.mark.slow
@pytest.mark.skipif(not can_obey_modes(), reason="root writes to every file here: setpriv is missing")
def test_a_file_that_may_only_be_read_is_told_of_and_served_when_it_may_be_written_to(shell: Shell) -> None:
    shell.a_practice()
    file = shell.folder / "slotkeeper.db"
    file.chmod(0o400)
    port = free_port()
    command = (*obeying_modes(), sys.executable, "-m", "slotkeeper", "serve", "--port", str(port))

    told = subprocess.run(command, cwd=shell.folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    for each in shell.folder.glob("slotkeeper.db*"):
        each.chmod(0o600)
    with running(shell.folder, "serve", "--port", str(port)):
        ready = wait_for(f"http://127.0.0.1:{port}/ready").json()

    assert told.returncode == 3
    assert "may only be read" in told.stderr
    assert "Traceback" not in told.stderr
    assert ready == {"status": "ready"}
