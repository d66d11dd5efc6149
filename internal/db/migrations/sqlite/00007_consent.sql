-- +goose Up
-- Consents that were, or were about to be, removed at a customer in order to be
-- granted anew: a row is there from before the removal until the new grant was
-- seen, so that the next run tells of what a crash left behind.
CREATE TABLE consent_intents (
    connection TEXT NOT NULL,
    customer   TEXT NOT NULL, -- tenant id, lower case
    app        TEXT NOT NULL,
    grants     TEXT NOT NULL, -- JSON: what was to be granted
    since      INTEGER NOT NULL, -- microseconds
    PRIMARY KEY (connection, customer)
) STRICT, WITHOUT ROWID;
