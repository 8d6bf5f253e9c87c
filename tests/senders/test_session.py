"""What a server may answer while letters are carried over one connection, with PIPELINING and without."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from slotkeeper.contracts import Letter
from slotkeeper.core.errors import Undeliverable, Unreachable
from slotkeeper.senders.smtp import SmtpSender, SmtpSettings
from tests.clock import VirtualClock

CLOCK = VirtualClock("2026-11-24T09:30:00Z")
FINE = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken", "RSET": "250 ok", "QUIT": "221 bye"}
AWAY = ""
"""In place of an answer: the server closes the connection."""


class Server:
    """Answers each command with the next line of its script, and when there is none, that all is fine.

    `turns` counts how often it had to read: commands that come in one breath are one turn.
    """

    def __init__(self, *, pipelines: bool, **script: Sequence[str]) -> None:
        self.pipelines = pipelines
        self.script = {name.replace("dot", "."): list(lines) for name, lines in script.items()}
        self.heard: list[str] = []
        self.mails: list[bytes] = []
        self.connections = self.turns = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        finally:
            writer.close()

    async def gone(self) -> None:
        """Wait until everybody has left."""
        await asyncio.gather(*self.tasks)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks += filter(None, [asyncio.current_task()])
        writer.write(b"220 hello\r\n")
        rest, is_mail = b"", False
        while data := await reader.read(65_536):
            self.turns += 1
            rest += data
            while (end := rest.find(b"\r\n.\r\n" if is_mail else b"\r\n")) >= 0:
                if is_mail:
                    mail, rest = rest[:end], rest[end + 5 :]
                    self.mails.append(mail)
                    answer, is_mail = self._answer("."), False
                else:
                    line, rest = rest[:end].decode(), rest[end + 2 :]
                    self.heard.append(line)
                    answer = self._answer(line[:4].strip())
                    is_mail = answer.startswith("354")
                    # a mail that is a lone dot has no line before it
                    rest = b"\r\n" + rest if is_mail else rest
                if answer == AWAY:
                    return
                writer.write(f"{answer}\r\n".encode())

    def _answer(self, verb: str) -> str:
        if verb == "EHLO":
            return "250-scripted\r\n250-PIPELINING\r\n250 8BITMIME" if self.pipelines else "250 scripted"
        return self.script[verb].pop(0) if self.script.get(verb) else FINE[verb]


def send(
    server: Server, *letters: Letter, pause: Callable[[], Awaitable[None]] | None = None, **others: Any
) -> list[Any]:
    """What came of each letter, sent one after the other; `pause` is awaited between them."""

    async def all_of_them() -> list[Any]:
        ends: list[Any] = []
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            port = listener.sockets[0].getsockname()[1]
            facts: dict[str, Any] = {"security": "none", "timeout_seconds": 5.0} | others
            sender = SmtpSender(SmtpSettings(host="127.0.0.1", port=port, sender="desk@clinic.example", **facts), CLOCK)
            for letter in letters:
                try:
                    ends.append(await sender.send(letter))
                except (Unreachable, Undeliverable) as error:
                    ends.append(error)
                if pause is not None:
                    await pause()
            await sender.close()
            await server.gone()
        return ends

    return asyncio.run(all_of_them())


def letters(count: int, text: str = "In one hour.\n") -> list[Letter]:
    return [Letter(f"msg_{number}", "email", f"{number}@example.com", "Reminder", text) for number in range(count)]


def ids(server: Server) -> list[bytes]:
    return [found for mail in server.mails for found in re.findall(rb"^Message-ID: <(.+)@", mail, re.MULTILINE)]


@pytest.mark.parametrize("pipelines", [True, False])
def test_letters_follow_one_another_over_one_connection(pipelines: bool) -> None:
    server = Server(pipelines=pipelines)

    assert send(server, *letters(3)) == ["250 taken"] * 3
    assert server.connections == 1
    assert [line for line in server.heard if line.startswith("RCPT")] == [
        f"RCPT TO:<{n}@example.com>" for n in range(3)
    ]
    assert ids(server) == [b"msg_0", b"msg_1", b"msg_2"]


def test_a_server_that_pipelines_is_told_of_a_letter_in_one_breath() -> None:
    breathless, patient = Server(pipelines=True), Server(pipelines=False)

    for server in (breathless, patient):
        send(server, *letters(5))

    # EHLO and QUIT, and for each letter its announcement and itself; or each of four lines by itself
    assert breathless.turns == 2 + 5 * 2
    assert patient.turns == 2 + 5 * 4


@pytest.mark.parametrize("text", [".\n", "..\n.\n", "a\n.\r\nQUIT\r\nb\n", "\n.\n", "x" * 3000 + "\n.\n"])
def test_no_text_can_end_its_letter(text: str) -> None:
    server = Server(pipelines=True)

    assert send(server, *letters(2, text)) == ["250 taken"] * 2
    assert len(server.mails) == 2
    assert server.heard[-1] == "QUIT"


@pytest.mark.parametrize("pipelines", [True, False])
@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        ({"MAIL": ["451 later"], "RCPT": ["503 no sender"], "DATA": ["503 no sender"]}, Unreachable, "451 later"),
        ({"MAIL": ["550 not you"], "RCPT": ["503 no sender"], "DATA": ["503 no sender"]}, Undeliverable, "550 not you"),
        ({"RCPT": ["550-no\r\n550 such user"], "DATA": ["554 nobody"]}, Undeliverable, "550 no\nsuch user"),
        ({"RCPT": ["450 greylisted"], "DATA": ["354 go on"], "dot": ["554 nobody"]}, Unreachable, "450 greylisted"),
        ({"DATA": ["451 disk full"]}, Unreachable, "451 disk full"),
        ({"DATA": ["250 what?"]}, Unreachable, "250 what?"),
        ({"dot": ["554 spam"]}, Undeliverable, "554 spam"),
        ({"dot": ["452 full"]}, Unreachable, "452 full"),
    ],
)
def test_a_letter_that_is_refused_costs_the_next_one_nothing(
    pipelines: bool, script: dict[str, list[str]], kind: type[Exception], said: str
) -> None:
    if not pipelines:  # it is not asked for what comes after a refusal
        refused = next(iter(script))
        script = {refused: script[refused]}
    server = Server(pipelines=pipelines, **script)

    first, second = send(server, *letters(2))

    assert (type(first), str(first)) == (kind, said)
    assert second == "250 taken"
    assert server.connections == 1
    assert ids(server)[-1] == b"msg_1"


@pytest.mark.parametrize("pipelines", [True, False])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [AWAY, "421 enough for this connection"])
def test_a_connection_that_has_served_its_time_is_replaced_unseen(pipelines: bool, step: str, answer: str) -> None:
    server = Server(pipelines=pipelines, **{step: [FINE[step], answer]})

    assert send(server, *letters(3)) == ["250 taken"] * 3
    assert server.connections == 2
    assert ids(server) == [b"msg_0", b"msg_1", b"msg_2"]


@pytest.mark.parametrize("answer", [AWAY, "421 shutting down"])
def test_a_letter_that_may_have_been_taken_is_not_sent_twice_at_once(answer: str) -> None:
    server = Server(pipelines=True, dot=["250 taken", answer])

    first, second, third = send(server, *letters(3))

    assert (first, type(second), third) == ("250 taken", Unreachable, "250 taken")
    assert len(server.mails) == 3


def test_a_server_that_refuses_every_connection_is_unreachable() -> None:
    server = Server(pipelines=True, MAIL=["421 busy", "421 busy"])

    assert [type(end) for end in send(server, *letters(2))] == [Unreachable, Unreachable]
    assert server.connections == 2


def test_what_a_server_says_unasked_is_taken_for_no_answer() -> None:
    server = Server(pipelines=True, dot=["250 taken\r\n421 idle for too long"])

    assert send(server, *letters(2), pause=lambda: asyncio.sleep(0.1)) == ["250 taken"] * 2
    assert server.connections == 2


def test_an_answer_without_end_ends_the_connection() -> None:
    server = Server(pipelines=True, dot=["250-and\r\n" * 8000 + "250-so on"])

    first, second = send(server, *letters(2))

    assert (type(first), second) == (Unreachable, "250 taken")
    assert server.connections == 2


def test_an_answer_that_is_none_is_no_yes() -> None:
    server = Server(pipelines=True, dot=["hello?"])

    [end] = send(server, *letters(1))

    assert type(end) is Unreachable


@pytest.mark.parametrize("step", ["MAIL", "dot"])
def test_a_server_that_falls_silent_is_unreachable(step: str) -> None:
    server = Server(pipelines=True, **{step: ["250-wait"]})

    [end] = send(server, *letters(1), timeout_seconds=0.2)

    assert type(end) is Unreachable
    assert "no answer within 0.2 seconds" in str(end)
