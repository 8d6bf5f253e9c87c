"""What keeps us from packing or deploying, as an error that says what to do."""

from slotkeeper.core.errors import SlotkeeperError


class Hindered(SlotkeeperError):
    """It cannot be done as things are; `hint` says what to do, and is empty when nobody knows."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
