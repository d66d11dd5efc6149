-- +goose Up
-- What was told, so that it is told once. Warnings stood among the settings.
CREATE TABLE told (
    key text PRIMARY KEY,
    at  bigint NOT NULL -- when, microseconds
);
INSERT INTO told (key, at) SELECT name, CAST(value AS bigint) FROM settings WHERE name LIKE 'warned:%';
DELETE FROM settings WHERE name LIKE 'warned:%';
