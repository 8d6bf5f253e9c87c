"""The meter's read units beside those of dynalite, an emulator whose reads follow the published rules.

It knows no transactions, so it is given the items that our deeds have left, and asked again what they asked. It comes
from npm: `npm install dynalite` in any folder, which is named here. Of a query that finds nothing it says that it costs
nothing; we count it as a read, as the developer guide says of a missing item.

    python -m bench.aws.reads FOLDER
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.aws.meter import Meter, MeteredConnection
from bench.aws.units import a_clinic, an_emulator, deeds
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.signing import Credentials
from tests.aws.emulator import REGION, Emulator, free_port
from tests.aws.tables import table_definition

SERVER = "require('dynalite')({createTableMs: 0}).listen(Number(process.argv[1]), '127.0.0.1')"


class Recording(Meter):
    """Remembers what was asked, and what stands in the table."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def see(self, operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any], *, is_done: bool) -> None:
        super().see(operation, asked, answer, is_done=is_done)
        if operation in ("GetItem", "BatchGetItem", "Query"):
            self.asked.append((operation, asked))


def recorded() -> tuple[str, Recording]:
    """What all our deeds ask, and the name of their table."""
    with an_emulator() as emulator:
        recording = Recording()
        clinic = a_clinic(emulator, recording)
        for _, deed in deeds(clinic):
            deed(clinic)
        clinic.store.close()
        return clinic.table, recording


@contextmanager
def dynalite(folder: Path) -> Iterator[str]:
    """Run one until the block ends; its endpoint."""
    port = free_port()
    with subprocess.Popen(["node", "-e", SERVER, str(port)], cwd=folder) as server:
        try:
            time.sleep(1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def compared(folder: Path) -> Counter[tuple[str, bool]]:
    """How many reads of each kind agree, and how many do not."""
    table, recording = recorded()
    counts = Counter[tuple[str, bool]]()
    with dynalite(folder) as endpoint:
        Emulator(endpoint, folder).client("dynamodb").create_table(**table_definition(table))
        meter, credentials = Meter(), Credentials("key", "secret")
        plain = Connection(credentials, REGION, endpoint=endpoint)
        for item in recording.items:
            plain.call("PutItem", {"TableName": table, "Item": item})
        connection = MeteredConnection(credentials, REGION, endpoint=endpoint, meter=meter)
        for operation, asked in recording.asked:
            ours, said = meter.ours.reads, meter.said.reads
            answer = connection.call(operation, asked)
            kind = f"{operation} of an index" if "IndexName" in asked else operation
            kind += "" if answer.get("Items", True) else ", nothing found"
            counts[kind, meter.ours.reads - ours == meter.said.reads - said] += 1
    return counts


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    counts = compared(Path(sys.argv[1]))
    for kind in sorted({kind for kind, _ in counts}):
        print(f"{kind}: {counts[kind, True]} agree, {counts[kind, False]} do not")


if __name__ == "__main__":
    main()
