-- The inventory. A table or view of this name anywhere in the search path is its owner's: it is read as it is.
DO $$
BEGIN
    IF to_regclass('devices') IS NULL THEN
        CREATE TABLE devices (
            id text PRIMARY KEY CHECK (id <> ''),
            hostname text,
            ip_address inet,
            mac_address text,
            device_type text NOT NULL DEFAULT 'network',
            credential text,
            site text,
            parent_id text,
            enabled boolean NOT NULL DEFAULT true,
            maintenance_until timestamptz,
            settings jsonb NOT NULL DEFAULT '{}'
        );
    END IF;
END $$;

-- What netvitals knows of each device. No foreign key: `devices` may be a view, or have ids of another type.
CREATE TABLE device_state (
    device_id text PRIMARY KEY,
    last_seen_at timestamptz,
    last_attempt_at timestamptz,
    -- The newest poll of each kind: a long metrics poll is not late because a status poll ended meanwhile.
    status_attempt_at timestamptz,
    metrics_attempt_at timestamptz,
    -- Polls in a row that failed, or succeeded (one of the two is 0), and when the first of them was made.
    failures integer NOT NULL DEFAULT 0,
    successes integer NOT NULL DEFAULT 0,
    streak_since timestamptz,
    reason text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    method text NOT NULL DEFAULT '',
    memory jsonb NOT NULL DEFAULT '{}',
    -- What decisions have left.
    status text NOT NULL DEFAULT 'unknown',
    status_since timestamptz,
    cause text NOT NULL DEFAULT '',
    announced text, -- NULL: what `status` says
    flap_score double precision NOT NULL DEFAULT 0,
    flap_updated_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
-- Every row is updated twice a minute and no index covers what changes: room for updates within the page.
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
