"""Calls to AWS through clients of boto3, and what their failures mean."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slotkeeper.core.errors import Undeliverable, Unreachable


class Failed(Unreachable):
    """AWS answered that it did not do it. `code` is its name for why, `said` what it says of it."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code = code
        self.said = said


def call(operation: Callable[..., Any], /, **arguments: Any) -> Any:
    """What the operation of a client answers.

    Raises:
        Failed: AWS answered with an error. Unreachable: it did not answer, or could not be asked.
    """
    try:
        return operation(**arguments)
    except ClientError as error:
        found = error.response.get("Error", {})
        raise Failed(str(found.get("Code", "")), str(found.get("Message", ""))) from error
    except (BotoCoreError, OSError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error


async def send(operation: Callable[..., Any], refusals: Collection[str], /, **arguments: Any) -> Any:
    """As `call`, in a thread, so that many are under way at once.

    Raises:
        Undeliverable: AWS answered with one of `refusals`, which are the letter's own fault.
        Unreachable: anything else went wrong: the letter may go later.
    """
    try:
        return await asyncio.to_thread(call, operation, **arguments)
    except Failed as failed:
        if failed.code in refusals:
            raise Undeliverable(str(failed)) from failed
        raise
