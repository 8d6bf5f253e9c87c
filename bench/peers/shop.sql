-- The shop of the reference day: :resources resources that are open around the clock, one service that any of them gives.
INSERT INTO business VALUES ('shop', 'Shop', 'Europe/Berlin');
INSERT INTO api_key (business_id, digest, scopes) VALUES ('shop', sha256(:'key'), '{read,book}');
INSERT INTO resource (business_id, id, name, zone)
    SELECT 'shop', 'r' || n, 'r' || n, 'Europe/Berlin' FROM generate_series(0, :resources - 1) AS n;
INSERT INTO opening SELECT number, weekday, 0, 1440 FROM resource, generate_series(1, 7) AS weekday;
INSERT INTO service (business_id, id, name, duration_minutes) VALUES ('shop', 'visit', 'Visit', :minutes);
INSERT INTO service_resource SELECT 'shop', 'visit', number, number FROM resource;
INSERT INTO reminder_rule VALUES ('shop', 1440), ('shop', 60);
