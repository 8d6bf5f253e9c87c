-- Does anything overlap, and do claims and appointments agree? Asked of the stored JSON alone, by SQLite alone:
-- none of the service's code is run, and none of its ideas is used but the meaning of what it has written down.
--
--     sqlite3 slotkeeper.db < bench/proof/sweep.sql
--
-- A claim is live when it never expires or has not yet; times are seconds since 1970; spans are half-open.

CREATE TEMP TABLE moment AS SELECT CAST(strftime('%s', 'now') AS INTEGER) AS now;

-- What each calendar's days say: `[[owner, start, end, expires], ...]` under `<business>/sheet/<calendar>`, `<day>`.
CREATE TEMP TABLE claim AS
SELECT part AS calendar, sort AS day, owner, start, "end" FROM (
    SELECT
        doc.part, doc.sort,
        each.value ->> 0 AS owner, each.value ->> 1 AS start, each.value ->> 2 AS "end",
        coalesce(each.value ->> 3, 0) AS expires
    FROM doc, json_each(CAST(doc.body AS TEXT)) AS each
    WHERE doc.part LIKE '%/sheet/%'
), moment
WHERE expires = 0 OR expires > now;

-- What should be claimed: by appointments and by holds, as they say themselves; once for each of their calendars.
CREATE TEMP TABLE wanted AS
SELECT
    substr(part, 1, instr(part, '/')) || 'sheet/' || calendar.value AS calendar,
    body ->> '$.id' AS owner,
    (body ->> '$.start') - coalesce(body ->> '$.bufferBefore', 0) AS start,
    (body ->> '$.end') + coalesce(body ->> '$.bufferAfter', 0) AS "end"
FROM (SELECT part, CAST(body AS TEXT) AS body FROM doc WHERE sort = 'appointment') AS appointment, moment,
    json_each(appointment.body, '$.calendars') AS calendar
WHERE body ->> '$.status' IN ('booked', 'checkedIn', 'completed')
    OR (body ->> '$.status' = 'pending'
        AND (coalesce(body ->> '$.expires', 0) = 0 OR body ->> '$.expires' > now))
UNION ALL
SELECT
    substr(part, 1, instr(part, '/')) || 'sheet/' || calendar.value,
    body ->> '$.id', body ->> '$.claimStart', body ->> '$.claimEnd'
FROM (SELECT part, CAST(body AS TEXT) AS body FROM doc WHERE sort = 'hold') AS hold, moment,
    json_each(hold.body, '$.resourceIds') AS calendar
WHERE body ->> '$.expires' > now;

CREATE TEMP TABLE wanted_day AS
WITH RECURSIVE stretch (calendar, owner, start, "end", number) AS (
    SELECT calendar, owner, start, "end", start / 86400 FROM wanted
    UNION ALL
    SELECT calendar, owner, start, "end", number + 1 FROM stretch WHERE (number + 1) * 86400 < "end"
)
SELECT calendar, date(number * 86400, 'unixepoch') AS day, owner, start, "end" FROM stretch;

SELECT 'claims that overlap an earlier one of their calendar', count(*) FROM (
    SELECT start, max("end") OVER (
        PARTITION BY calendar ORDER BY start, "end", owner ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS busy_until
    FROM (SELECT DISTINCT calendar, owner, start, "end" FROM claim)
) WHERE busy_until > start;

SELECT 'appointments and holds that overlap an earlier one of their calendar', count(*) FROM (
    SELECT start, max("end") OVER (
        PARTITION BY calendar ORDER BY start, "end", owner ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS busy_until
    FROM wanted
) WHERE busy_until > start;

SELECT 'days of appointments and holds without their claim', count(*) FROM (
    SELECT calendar, day, owner, start, "end" FROM wanted_day
    EXCEPT SELECT calendar, day, owner, start, "end" FROM claim
);

SELECT 'claims without their appointment or hold', count(*) FROM (
    SELECT calendar, day, owner, start, "end" FROM claim
    EXCEPT SELECT calendar, day, owner, start, "end" FROM wanted_day
);

SELECT 'claims that stand twice in one day of a calendar',
    (SELECT count(*) FROM claim)
    - (SELECT count(*) FROM (SELECT DISTINCT calendar, day, owner, start, "end" FROM claim));
