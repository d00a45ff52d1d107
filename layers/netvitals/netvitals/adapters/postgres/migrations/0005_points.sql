ALTER TABLE device_state
    -- Of the newest complete metrics poll: how many devices an invocation can poll depends on it.
    ADD COLUMN points integer NOT NULL DEFAULT 0;
