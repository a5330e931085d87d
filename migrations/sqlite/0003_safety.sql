-- What keeps a store right in other people's hands.
-- goose reads this form too. Times are microseconds since 1970 UTC.

-- +goose Up
UPDATE evercore_schema SET version = 3, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');

-- +goose Down
UPDATE evercore_schema SET version = 2, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
