-- Devices that `netvitals inventory import --disable-missing` has disabled: one that a later file names again is
-- enabled again, and one that somebody disabled by hand is not.
CREATE TABLE import_disabled (
    device_id   text PRIMARY KEY,
    disabled_at timestamptz NOT NULL DEFAULT now()
);
