-- +goose Up
-- What was told, so that it is told once. Warnings stood among the settings.
CREATE TABLE told (
    key TEXT PRIMARY KEY,
    at  INTEGER NOT NULL -- when, microseconds
) STRICT;
INSERT INTO told (key, at) SELECT name, CAST(value AS INTEGER) FROM settings WHERE name LIKE 'warned:%';
DELETE FROM settings WHERE name LIKE 'warned:%';
