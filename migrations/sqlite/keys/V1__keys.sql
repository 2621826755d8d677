-- Wrapped keys, apart from what they open.

CREATE TABLE vault (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    vault  BLOB NOT NULL,
    origin TEXT NOT NULL
);

-- Argon2id parameters and the root key under the key they give. `root_digest` is SHA-256 of `wrapped_root`.
CREATE TABLE unlock (
    id           INTEGER PRIMARY KEY,
    salt         BLOB NOT NULL,
    memory_kib   INTEGER NOT NULL,
    passes       INTEGER NOT NULL,
    lanes        INTEGER NOT NULL,
    wrapped_root BLOB NOT NULL,
    root_digest  BLOB NOT NULL
);

-- A key that was destroyed keeps its row, with nothing in `wrapped`.
CREATE TABLE keyring (
    role       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    active     INTEGER NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (role, version)
);
CREATE UNIQUE INDEX keyring_active ON keyring (role) WHERE active = 1;

-- WITHOUT ROWID: its order must not say in which order records were made.
CREATE TABLE record_key (
    record_kind TEXT NOT NULL,
    record      BLOB NOT NULL,
    kek         INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    wrapped     BLOB NOT NULL,
    PRIMARY KEY (record_kind, record)
) WITHOUT ROWID;
CREATE INDEX record_key_kek ON record_key (kek, record_kind, record);

-- The fence: how far the log had come, kept apart from the log, so that a data store put back to an older copy is noticed.
CREATE TABLE fence (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    origin TEXT NOT NULL,
    size   INTEGER NOT NULL,
    root   BLOB NOT NULL
);

-- Witnesses that have said of a log that it was cut or rewritten, and the largest size they had seen of it. Kept apart from
-- the log like the fence; a row goes when the same witness has cosigned what continues that size.
CREATE TABLE contradiction (
    origin  TEXT NOT NULL,
    witness TEXT NOT NULL,
    size    INTEGER NOT NULL,
    PRIMARY KEY (origin, witness)
);

-- Record keys that an erasure is about to destroy. They go once the log says that `subject` is erased; otherwise they stay.
CREATE TABLE doomed_key (
    record_kind TEXT NOT NULL,
    record      BLOB NOT NULL,
    subject     TEXT NOT NULL,
    PRIMARY KEY (record_kind, record)
) WITHOUT ROWID;

-- Record keys that were destroyed: `mark` is SHA-256 of the record's id, which is random. So a record in an older copy of the data store
-- is known to be erased, and not to be missing.
CREATE TABLE erased_key (
    mark      BLOB PRIMARY KEY,
    erased_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The data store was put back from an older copy: whatever it has of callers who were erased since is removed from it again. The row goes
-- when that is done.
CREATE TABLE erasing_again (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    begun_by BLOB NOT NULL,
    begun_at INTEGER NOT NULL
);
