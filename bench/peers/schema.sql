-- The peer's tables. That no two claims of a resource overlap is kept by PostgreSQL itself, by an exclusion constraint.
CREATE EXTENSION btree_gist;

CREATE TABLE business (
    id text PRIMARY KEY,
    name text NOT NULL,
    zone text NOT NULL
);

CREATE TABLE api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id text NOT NULL REFERENCES business,
    digest bytea NOT NULL UNIQUE, -- SHA-256 of the secret
    scopes text[] NOT NULL
);

CREATE TABLE resource (
    number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id text NOT NULL REFERENCES business,
    id text NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    UNIQUE (business_id, id)
);

CREATE TABLE opening ( -- minutes of the day on the clocks of the resource's zone; weekday 1 is Monday
    resource_number int NOT NULL REFERENCES resource,
    weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens smallint NOT NULL CHECK (opens BETWEEN 0 AND 1439),
    closes smallint NOT NULL CHECK (closes BETWEEN opens + 1 AND 1440)
);
CREATE INDEX ON opening (resource_number);

CREATE TABLE service (
    business_id text NOT NULL REFERENCES business,
    id text NOT NULL,
    name text NOT NULL,
    duration_minutes int NOT NULL CHECK (duration_minutes > 0),
    buffer_before_minutes int NOT NULL DEFAULT 0,
    buffer_after_minutes int NOT NULL DEFAULT 0,
    step_minutes int NOT NULL DEFAULT 15 CHECK (step_minutes > 0),
    notice_minutes int NOT NULL DEFAULT 0,
    horizon_days int NOT NULL DEFAULT 365,
    active boolean NOT NULL DEFAULT true,
    PRIMARY KEY (business_id, id)
);

CREATE TABLE service_resource ( -- any one of these gives the service, by position
    business_id text NOT NULL,
    service_id text NOT NULL,
    resource_number int NOT NULL REFERENCES resource,
    position int NOT NULL,
    PRIMARY KEY (business_id, service_id, resource_number),
    FOREIGN KEY (business_id, service_id) REFERENCES service
);

CREATE TABLE reminder_rule (
    business_id text NOT NULL REFERENCES business,
    lead_minutes int NOT NULL,
    channel text NOT NULL DEFAULT 'email',
    PRIMARY KEY (business_id, lead_minutes, channel)
);

CREATE TABLE appointment (
    id uuid PRIMARY KEY,
    business_id text NOT NULL REFERENCES business,
    service_id text NOT NULL,
    customer_id text,
    status text NOT NULL DEFAULT 'booked',
    starts timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    contact jsonb,
    details jsonb NOT NULL,
    created timestamptz NOT NULL,
    revision int NOT NULL DEFAULT 1,
    FOREIGN KEY (business_id, service_id) REFERENCES service
);
CREATE INDEX ON appointment (business_id, starts);
CREATE INDEX ON appointment (business_id, customer_id, starts);

CREATE TABLE claim ( -- the visit with its buffers, for as long as the appointment lives
    appointment_id uuid NOT NULL REFERENCES appointment,
    resource_number int NOT NULL REFERENCES resource,
    span tstzrange NOT NULL,
    EXCLUDE USING gist (resource_number WITH =, span WITH &&)
);
CREATE INDEX ON claim (appointment_id);

CREATE TABLE message ( -- what is owed to people: the confirmation and the reminders
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    appointment_id uuid NOT NULL REFERENCES appointment,
    kind text NOT NULL,
    channel text NOT NULL,
    due timestamptz NOT NULL,
    lead_minutes int NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'waiting'
);
CREATE INDEX ON message (appointment_id);
CREATE INDEX ON message (due) WHERE state = 'waiting';

CREATE TABLE event ( -- the outbox, and the record of who did what when
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id text NOT NULL REFERENCES business,
    appointment_id uuid NOT NULL REFERENCES appointment,
    type text NOT NULL,
    at timestamptz NOT NULL,
    by bigint NOT NULL REFERENCES api_key,
    is_published boolean NOT NULL DEFAULT false
);
CREATE INDEX ON event (number) WHERE NOT is_published;

CREATE TABLE idempotency_key (
    api_key_id bigint NOT NULL REFERENCES api_key,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    appointment_id uuid NOT NULL REFERENCES appointment,
    PRIMARY KEY (api_key_id, key)
);

-- Servers keep the catalogue and the keys in memory, and forget them when any of it changes.
CREATE FUNCTION tell_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY catalogue;
    RETURN NULL;
END $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY
        ARRAY['business', 'api_key', 'resource', 'opening', 'service', 'service_resource', 'reminder_rule']
    LOOP
        EXECUTE format('CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON %I EXECUTE FUNCTION tell_of_change()', name);
    END LOOP;
END $$;
