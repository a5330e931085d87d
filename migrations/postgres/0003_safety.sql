-- +goose Up
-- What keeps a store right in other people's hands.
UPDATE evercore_schema SET version = 3;

-- +goose Down
UPDATE evercore_schema SET version = 2;
