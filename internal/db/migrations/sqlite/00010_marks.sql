-- +goose Up
-- Rows that grant something, or steer a secret, carry a mark: a MAC under a key
-- of the vault over the row's table, key and columns. A row whose mark does not
-- fit is refused by name.
ALTER TABLE connections ADD COLUMN mark BLOB NOT NULL DEFAULT x'';
ALTER TABLE registrations ADD COLUMN mark BLOB NOT NULL DEFAULT x'';
ALTER TABLE invitations ADD COLUMN mark BLOB NOT NULL DEFAULT x'';
ALTER TABLE approvals ADD COLUMN mark BLOB NOT NULL DEFAULT x'';
ALTER TABLE consent_intents ADD COLUMN mark BLOB NOT NULL DEFAULT x'';
