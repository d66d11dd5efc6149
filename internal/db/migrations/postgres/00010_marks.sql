-- +goose Up
-- Rows that grant something, or steer a secret, carry a mark: a MAC under a key
-- of the vault over the row's table, key and columns. A row whose mark does not
-- fit is refused by name.
ALTER TABLE connections ADD COLUMN mark bytea NOT NULL DEFAULT '';
ALTER TABLE registrations ADD COLUMN mark bytea NOT NULL DEFAULT '';
ALTER TABLE invitations ADD COLUMN mark bytea NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN mark bytea NOT NULL DEFAULT '';
ALTER TABLE consent_intents ADD COLUMN mark bytea NOT NULL DEFAULT '';
