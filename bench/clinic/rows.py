"""Make a year of a clinic's appointments with the package `medscheduler`, as one CSV file.

Run by `make clinic` in an environment of its own, because it needs pandas. The same seed gives the same file.

    python -m bench.clinic.rows OUT.csv.gz --providers 10 --days 366
"""

import argparse
import csv
import gzip
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

COLUMNS = ("row", "provider", "patient", "name", "day", "time", "status")
FIRST_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - wall-clock days of the clinic


def rows(provider: int, days: int) -> list[tuple[Any, ...]]:
    """One provider's appointments, by slot; where a slot was cancelled and given again, the cancelled one first."""
    from medscheduler import AppointmentScheduler  # type: ignore[import-not-found] # only in its own environment

    last = FIRST_DAY + timedelta(days=days - 1)
    maker = AppointmentScheduler(date_ranges=[(FIRST_DAY, last)], ref_date=last, seed=1000 + provider)
    _, appointments, patients = maker.generate()
    names = dict(zip(patients["patient_id"], patients["name"], strict=True))
    made = [
        (
            f"{provider}-{row.appointment_id}",
            f"p{provider:02d}",
            f"{provider:02d}-{row.patient_id}",
            names[row.patient_id],
            str(row.appointment_date)[:10],
            str(row.appointment_time)[:5],
            row.status,
        )
        for row in appointments.itertuples()
    ]
    return sorted(made, key=lambda row: (row[4], row[5], row[6] != "cancelled", row[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", type=Path)
    parser.add_argument("--providers", type=int, default=10)
    parser.add_argument("--days", type=int, default=366)
    asked = parser.parse_args()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for provider in range(asked.providers):
        writer.writerows(rows(provider, asked.days))
    asked.out.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    main()
