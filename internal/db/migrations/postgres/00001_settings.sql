-- +goose Up
-- Single facts about this installation, by name.
CREATE TABLE settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);
