-- +goose Up
-- Consents that were, or were about to be, removed at a customer in order to be
-- granted anew: a row is there from before the removal until the new grant was
-- seen, so that the next run tells of what a crash left behind.
CREATE TABLE consent_intents (
    connection text NOT NULL,
    customer   text NOT NULL, -- tenant id, lower case
    app        text NOT NULL,
    grants     text NOT NULL, -- JSON: what was to be granted
    since      bigint NOT NULL, -- microseconds
    PRIMARY KEY (connection, customer)
);
