-- What a newer version might want: every document is written anew, into a table with one column more.
CREATE TABLE fresh (
    id INTEGER PRIMARY KEY,
    part TEXT NOT NULL,
    sort TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    places TEXT NOT NULL,
    written INTEGER NOT NULL DEFAULT 0,
    UNIQUE (part, sort)
);

INSERT INTO fresh (id, part, sort, version, body, places) SELECT id, part, sort, version, body, places FROM doc;

DROP TABLE doc;

ALTER TABLE fresh RENAME TO doc;
