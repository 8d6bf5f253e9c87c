-- And an index over what is there.
CREATE INDEX place_by_document ON place (doc);
