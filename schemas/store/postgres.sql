CREATE SCHEMA holdfast;
CREATE TABLE holdfast.migration (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE holdfast.shared_state (
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL
);
ALTER TABLE ONLY holdfast.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY holdfast.shared_state
    ADD CONSTRAINT shared_state_pkey PRIMARY KEY (key);
