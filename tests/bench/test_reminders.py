"""The bench of reminders counts what really arrived, and says so when something is missing, doubled or not noted."""

from pathlib import Path

import pytest

from bench.reminders import Delivery, deliver, ready_made
from bench.sink import Sink


def a_delivery(**others: int) -> Delivery:
    facts = {"owed": 3, "doubled": 0, "missing": 0, "noted": 3} | others
    return Delivery(seconds=2.0, lateness=[0.5, 1.0, 2.0], cpu_seconds=0.1, **facts)


@pytest.mark.slow
@pytest.mark.parametrize("over_seconds", [0, 2])
def test_all_that_is_due_arrives_once_after_it_is_due_and_is_noted(tmp_path: Path, over_seconds: int) -> None:
    found = deliver(300, over_seconds, tmp_path, lambda *_: lambda _: None)

    assert found.is_whole
    assert (found.owed, len(found.lateness)) == (300, 300)
    assert found.lateness[0] >= 0
    assert found.cpu_seconds > 0


@pytest.mark.parametrize("wrong", [{"doubled": 1}, {"missing": 1}, {"noted": 2}])
def test_what_is_wrong_is_said(wrong: dict[str, int]) -> None:
    assert a_delivery().is_whole
    assert not a_delivery(**wrong).is_whole


@pytest.mark.slow
def test_a_mail_that_comes_twice_or_not_at_all_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless(Sink):
        """A mail server that loses its first mail and takes its last one twice."""

        def taken(self):  # type: ignore[no-untyped-def] # as `Sink.taken`
            _, *rest = super().taken()
            return [*rest, rest[-1]]

    monkeypatch.setattr("bench.reminders.Sink", Careless)

    found = deliver(20, 0, tmp_path, lambda *_: lambda _: None)

    assert (found.doubled, found.missing, found.is_whole) == (1, 1, False)


@pytest.mark.slow
def test_the_peers_hand_all_their_mails_over(tmp_path: Path) -> None:
    rates = ready_made(200, tmp_path)

    assert set(rates) == {"smtplib", "aiosmtplib"}
    assert min(rates.values()) > 0
