-- One row per transition, never changed: what happened to which device, and why.
CREATE TABLE device_status_history (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id text NOT NULL,
    site text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    cause text NOT NULL,
    detail text NOT NULL DEFAULT ''
);
CREATE INDEX device_status_history_of_device ON device_status_history (device_id, at);

-- What is to be published, written together with the transition, so that neither exists without the other.
CREATE TABLE status_outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    channel text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX status_outbox_waiting ON status_outbox (channel, number) WHERE published_at IS NULL;
CREATE INDEX status_outbox_published ON status_outbox (published_at) WHERE published_at IS NOT NULL;

-- Sites that were ever lost; the empty name is the fleet.
CREATE TABLE site_state (
    name text PRIMARY KEY,
    lost boolean NOT NULL,
    since timestamptz NOT NULL
);

-- One row: what the last run has to tell the next, as netvitals' `Watch` in JSON.
CREATE TABLE status_watch (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    watch jsonb NOT NULL
);
