-- Maintenance of devices, sites and types of devices: nothing is announced of them meanwhile. The table `devices`
-- belongs to its owner, and its column maintenance_until counts as well.
CREATE TABLE maintenance_windows (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope     text NOT NULL CHECK (scope IN ('device', 'site', 'type')),
    name      text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL CHECK (ends_at >= starts_at),
    reason    text NOT NULL DEFAULT ''
);
CREATE INDEX maintenance_windows_ends_at ON maintenance_windows (ends_at);
