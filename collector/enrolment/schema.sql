-- What the enrolment doors know. Codes and tokens only as digests; times in ms since the Unix epoch.
CREATE TABLE IF NOT EXISTS about (store_id BLOB NOT NULL, list_number INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS claims (
    digest TEXT PRIMARY KEY, identity TEXT NOT NULL, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    issued_by TEXT NOT NULL, used_key TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, site TEXT NOT NULL, count INTEGER NOT NULL,
    issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, issued_by TEXT NOT NULL, cidrs TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS hosts (
    batch TEXT NOT NULL REFERENCES batches, host TEXT NOT NULL, identity TEXT NOT NULL, seat TEXT NOT NULL,
    PRIMARY KEY (batch, host)
) STRICT;
CREATE TABLE IF NOT EXISTS joins (
    batch TEXT NOT NULL REFERENCES batches, host TEXT NOT NULL, identity TEXT NOT NULL, machine TEXT NOT NULL,
    key TEXT NOT NULL, address TEXT NOT NULL, asked_at INTEGER NOT NULL, state TEXT NOT NULL,
    is_enrolled INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (batch, host)
) STRICT;
CREATE TABLE IF NOT EXISTS certificates (
    serial TEXT PRIMARY KEY, identity TEXT NOT NULL, key TEXT NOT NULL, machine TEXT NOT NULL, host TEXT NOT NULL,
    batch TEXT NOT NULL, issued_at INTEGER NOT NULL, not_after INTEGER NOT NULL,
    revoked_at INTEGER, next_key TEXT NOT NULL DEFAULT '', next_machine TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS certificates_of_identity ON certificates (identity);
CREATE TABLE IF NOT EXISTS refusals (identity TEXT PRIMARY KEY, refused_at INTEGER NOT NULL, alarmed_at INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS holds (ring TEXT PRIMARY KEY, held_at INTEGER NOT NULL, held_by TEXT NOT NULL) STRICT;
-- What is yet to be put on the record: bodies of wire.identity, in their order. An ordinal is never used again.
CREATE TABLE IF NOT EXISTS events (ordinal INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS steps (step TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
