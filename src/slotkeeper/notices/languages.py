"""How dates, times and spans of time are said in the languages that we speak."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from slotkeeper.core.service import Service
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local, zone_names

HOUR_MINUTES = 60
DAY_MINUTES = 1440
DAYS_FROM_MINUTES = 2 * DAY_MINUTES
MAX_NAMED_MINUTES = 90
KEPT = 4096
"""How many times in words are remembered: appointments begin together, and so their messages go together."""


def _one_or_many(number: int) -> int:
    return 0 if number == 1 else 1


def _arabic_form(number: int) -> int:
    """One, two, few, many, other (CLDR, plural rules of ar)."""
    if number in (1, 2):
        return number - 1
    rest = number % 100
    return 2 if 3 <= rest <= 10 else 3 if rest >= 11 else 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Language:
    """One language, of which there is one object: it is compared and kept by identity.

    `date` takes weekday, day, month and year, `times` a start and an end; `spans` are minutes, hours and days from now
    in each form that the language has, `form` telling which one goes with a number, `{}`.

    `manage` names the link to an appointment, `direction` is that of the writing.
    """

    code: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    times: str = "{}-{}"
    comma: str = ", "
    spans: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    form: Callable[[int], int] = _one_or_many
    direction: str = "ltr"
    now: str
    service: str
    when: str
    customer_time: str
    where: str
    with_whom: str
    visit: str
    manage: str


_ENGLISH = Language(
    code="en",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    date="{weekday} {day} {month} {year}",
    spans=(("in {} minute", "in {} minutes"), ("in {} hour", "in {} hours"), ("in {} day", "in {} days")),
    now="now",
    service="Service",
    when="When",
    customer_time="Your time",
    where="Where",
    with_whom="With",
    visit="Appointment",
    manage="See, move or cancel",
)  # fmt: skip

_SPANISH = Language(
    code="es",
    weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    months=(
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
    date="{weekday} {day} de {month} de {year}",
    spans=(("en {} minuto", "en {} minutos"), ("en {} hora", "en {} horas"), ("en {} día", "en {} días")),
    now="ahora",
    service="Servicio",
    when="Cuándo",
    customer_time="Su hora local",
    where="Dónde",
    with_whom="Con",
    visit="Cita",
    manage="Ver, cambiar o cancelar",
)  # fmt: skip

_FRENCH = Language(
    code="fr",
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    months=(
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    date="{weekday} {day} {month} {year}",
    spans=(
        ("dans {} minute", "dans {} minutes"),
        ("dans {} heure", "dans {} heures"),
        ("dans {} jour", "dans {} jours"),
    ),
    now="maintenant",
    service="Prestation",
    when="Quand",
    customer_time="Votre heure",
    where="Où",
    with_whom="Avec",
    visit="Rendez-vous",
    manage="Voir, déplacer ou annuler",
)  # fmt: skip

_GERMAN = Language(
    code="de",
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    months=(
        "Januar", "Februar", "März", "April", "Mai", "Juni",
        "Juli", "August", "September", "Oktober", "November", "Dezember",
    ),
    date="{weekday}, {day}. {month} {year}",
    spans=(("in {} Minute", "in {} Minuten"), ("in {} Stunde", "in {} Stunden"), ("in {} Tag", "in {} Tagen")),
    now="jetzt",
    service="Leistung",
    when="Wann",
    customer_time="Ihre Ortszeit",
    where="Wo",
    with_whom="Bei",
    visit="Termin",
    manage="Ansehen, verschieben oder absagen",
)  # fmt: skip

_ARABIC = Language(
    code="ar",
    weekdays=("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
    months=(
        "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو",
        "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
    ),
    date="{weekday} {day} {month} {year}",
    # In words: writing that runs from right to left would turn 09:30-10:00 round.
    times="من {} إلى {}",
    comma="، ",
    spans=(
        ("بعد دقيقة واحدة", "بعد دقيقتين", "بعد {} دقائق", "بعد {} دقيقة", "بعد {} دقيقة"),
        ("بعد ساعة واحدة", "بعد ساعتين", "بعد {} ساعات", "بعد {} ساعة", "بعد {} ساعة"),
        ("بعد يوم واحد", "بعد يومين", "بعد {} أيام", "بعد {} يومًا", "بعد {} يوم"),
    ),
    form=_arabic_form,
    direction="rtl",
    now="الآن",
    service="الخدمة",
    when="الموعد",
    customer_time="بتوقيتك المحلي",
    where="المكان",
    with_whom="مع",
    visit="موعد",
    manage="عرض الموعد أو تغييره أو إلغاؤه",
)  # fmt: skip

LANGUAGES = {language.code: language for language in (_ENGLISH, _SPANISH, _FRENCH, _GERMAN, _ARABIC)}


def language_of(*wanted: str) -> Language:
    """The first of the wanted tags that we speak, `de-AT` being German; English when we speak none."""
    for tag in wanted:
        found = LANGUAGES.get(tag.lower().split("-", 1)[0])
        if found is not None:
            return found
    return _ENGLISH


def zone_shown(service: Service | None, zone: str, own: str) -> str:
    """The zone in which a customer is told the time: the place's, save for a remote service, which is had wherever the
    customer is. A zone of theirs that nobody knows is passed over."""
    return own if service is not None and service.remote and own in zone_names() else zone


def date_text(language: Language, wall: datetime) -> str:
    """Such as `Tuesday 24 November 2026`."""
    return language.date.format(
        weekday=language.weekdays[wall.weekday()],
        day=wall.day,
        month=language.months[wall.month - 1],
        year=wall.year,
    )


@lru_cache(maxsize=KEPT)
def day_text(language: Language, instant: Instant, zone: str) -> str:
    """The date that the zone has at the instant, as `date_text` says it."""
    return date_text(language, local(instant, zone))


@lru_cache(maxsize=KEPT)
def when_text(language: Language, start: Instant, end: Instant, zone: str) -> str:
    """Such as `Tuesday 24 November 2026, 09:30-10:00 (Europe/Berlin, UTC+1)`: the zone is always said.

    Both dates stand there when it ends on another, and both offsets when the clocks change on the way.
    """
    first, last = local(start, zone), local(end, zone)
    if first.date() == last.date():
        text = date_text(language, first) + language.comma + language.times.format(f"{first:%H:%M}", f"{last:%H:%M}")
    else:
        text = " - ".join(date_text(language, wall) + language.comma + f"{wall:%H:%M}" for wall in (first, last))
    offsets = list(dict.fromkeys([offset_text(first), offset_text(last)]))
    return f"{text} ({zone}, {' - '.join(offsets)})"


@lru_cache(maxsize=KEPT)
def time_text(start: Instant, zone: str) -> str:
    """Such as `09:30`."""
    return f"{local(start, zone):%H:%M}"


def offset_text(wall: datetime) -> str:
    """Such as `UTC`, `UTC+1` or `UTC-3:30`."""
    seconds = int((wall.utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    if not hours and not minutes:
        return "UTC"
    return f"UTC{'-' if seconds < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def lead_text(language: Language, seconds: int) -> str:
    """How far off something is, as `in 1 hour` or `in 2 days`, from how far off it is now: a late reminder must not
    say how early it was meant to be."""
    minutes = (seconds + 30) // 60
    in_minutes, in_hours, in_days = language.spans
    if minutes <= 0:
        return language.now
    if minutes != HOUR_MINUTES and minutes < MAX_NAMED_MINUTES:
        return _counted(language, minutes, in_minutes)
    if minutes < DAYS_FROM_MINUTES:
        return _counted(language, (minutes + 30) // HOUR_MINUTES, in_hours)
    return _counted(language, (minutes + DAY_MINUTES // 2) // DAY_MINUTES, in_days)


def _counted(language: Language, number: int, forms: tuple[str, ...]) -> str:
    return forms[language.form(number)].format(number)
