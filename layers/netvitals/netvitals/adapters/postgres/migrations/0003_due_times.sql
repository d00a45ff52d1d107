ALTER TABLE device_state
    -- The newest due time that was polled, for each kind: a job that comes twice is polled and counted once.
    ADD COLUMN status_due_at timestamptz,
    ADD COLUMN metrics_due_at timestamptz,
    -- Since when the device is monitored without a break: NULL always, 'infinity' not at present (it is
    -- disabled, or no longer in the inventory).
    ADD COLUMN monitored_since timestamptz,
    -- An event has said that the device flaps; outages are not announced until it is steady.
    ADD COLUMN flapping boolean NOT NULL DEFAULT false;
