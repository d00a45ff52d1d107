-- The group of collectors that polls a device; empty: that of a stack without a name for its group. A table `devices`
-- that looks as 0001 made it gets the column; any other is its owner's.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.oid = to_regclass('devices') AND c.relkind = 'r'
        GROUP BY c.oid
        HAVING array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attname) = ARRAY[
            'credential text', 'device_type text', 'enabled boolean', 'hostname text', 'id text', 'ip_address inet',
            'mac_address text', 'maintenance_until timestamp with time zone', 'parent_id text', 'settings jsonb',
            'site text'
        ]
    ) THEN
        ALTER TABLE devices ADD COLUMN collector text;
    END IF;
END $$;

-- Each group decides about its own devices, and publishes what it decided.
ALTER TABLE status_outbox ADD COLUMN collector text NOT NULL DEFAULT '';

-- One row for each group. `singleton` stays for functions of the version before, which write that of the empty group.
ALTER TABLE status_watch
    ADD COLUMN collector text NOT NULL DEFAULT '',
    DROP CONSTRAINT status_watch_pkey,
    ALTER COLUMN singleton DROP NOT NULL,
    ADD PRIMARY KEY (collector),
    ADD UNIQUE (singleton);

-- `site_state.name` and `status_outbox.id` begin with the group and chr(31), except for the empty group: functions of the
-- version before need them unique.
