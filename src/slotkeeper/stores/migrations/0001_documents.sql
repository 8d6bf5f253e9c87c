-- Versioned documents, and the lists they stand in. `places` repeats a document's rows of `place` as JSON, so that a
-- write knows which of them to take away without searching.
CREATE TABLE doc (
    id INTEGER PRIMARY KEY,
    part TEXT NOT NULL,
    sort TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    places TEXT NOT NULL,
    UNIQUE (part, sort)
);

CREATE TABLE place (
    list TEXT NOT NULL,
    part TEXT NOT NULL,
    sort TEXT NOT NULL,
    doc INTEGER NOT NULL,
    PRIMARY KEY (list, part, sort)
) WITHOUT ROWID;
