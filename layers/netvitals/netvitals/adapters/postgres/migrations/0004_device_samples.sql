-- What metrics polls have left for reporting by exception: one row a device, replaced with each poll.
CREATE TABLE device_samples (
    device_id text PRIMARY KEY,
    due_at bigint NOT NULL,
    full_at bigint NOT NULL,
    samples bytea NOT NULL
-- No index covers what changes, and every row changes with each poll: room for updates within the page.
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE device_samples ALTER COLUMN samples SET STORAGE MAIN; -- deflated already, and mostly below 2 KB
