"""Slotkeeper books appointments without double-booking, reminds on time, and gets time zones right."""

__version__ = "0.1.0"
