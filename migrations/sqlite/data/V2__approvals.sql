-- What takes two persons: who asked for what, and who approved it. `request` is a keyed code of the request in canonical form;
-- `about` says in JSON what would be done, for the second person; `bound` is SHA-256 over the rows that it is about, as they
-- stood when it was asked. Both reasons are sealed.

CREATE TABLE approval (
    id              BLOB PRIMARY KEY,
    action          TEXT NOT NULL,
    subject         TEXT,
    about           TEXT NOT NULL,
    request         BLOB NOT NULL,
    bound           BLOB NOT NULL,
    asker_reason    BLOB,
    asker           BLOB NOT NULL REFERENCES principal (id),
    asker_epoch     INTEGER NOT NULL,
    approver        BLOB REFERENCES principal (id),
    approver_epoch  INTEGER,
    approver_reason BLOB,
    state           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    mac             BLOB NOT NULL
);
CREATE INDEX approval_created ON approval (created_at, id);
CREATE INDEX approval_asker ON approval (asker, created_at, id);
CREATE INDEX approval_open ON approval (asker, state, expires_at);

-- Below which index the bodies of a log were archived and dropped, with two persons' approval. `log` is the log's origin.
CREATE TABLE archive (
    log     TEXT PRIMARY KEY,
    below   INTEGER NOT NULL,
    version INTEGER NOT NULL,
    mac     BLOB NOT NULL
);

-- The newest recovery of each security administrator's account: begun with the vault stopped, and finished after a delay in which it can be
-- stopped.
CREATE TABLE recovery (
    principal  BLOB PRIMARY KEY REFERENCES principal (id),
    asker      BLOB REFERENCES principal (id),
    approver   BLOB REFERENCES principal (id),
    started_at INTEGER NOT NULL,
    ready_at   INTEGER NOT NULL,
    open       INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    mac        BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX recovery_open ON recovery (open, started_at);

-- Versions that keys of the keyring were given since the vault was made. A version that does not stand here was never used. The keys
-- themselves are in the key store.
CREATE TABLE key_version (
    role    TEXT NOT NULL,
    version INTEGER NOT NULL,
    made_by BLOB NOT NULL REFERENCES principal (id),
    made_at INTEGER NOT NULL,
    mac     BLOB NOT NULL,
    PRIMARY KEY (role, version)
) WITHOUT ROWID;

-- Callers who were erased: `subject` is what the log calls the record in force, `others` the records that were merged into it.
-- `tickets_digest` is SHA-256 over the rows of their tickets as they have been since. `leaf_index` is the entry in the log `log`.
CREATE TABLE erased (
    subject        TEXT PRIMARY KEY,
    others         TEXT NOT NULL,
    tickets        INTEGER NOT NULL,
    tickets_digest BLOB NOT NULL,
    keks           TEXT NOT NULL,
    log            TEXT NOT NULL,
    erased_at      INTEGER NOT NULL,
    leaf_index     INTEGER NOT NULL,
    mac            BLOB NOT NULL
) WITHOUT ROWID;

-- Legal holds: a caller with one in force is not erased. The reasons are sealed under the caller's record key, so that they go with the
-- caller.
CREATE TABLE hold (
    id          BLOB PRIMARY KEY,
    subject     TEXT NOT NULL,
    owner       BLOB NOT NULL REFERENCES principal (id),
    review      TEXT NOT NULL,
    reason      BLOB NOT NULL,
    set_by      BLOB NOT NULL REFERENCES principal (id),
    set_at      INTEGER NOT NULL,
    lifted_by   BLOB REFERENCES principal (id),
    lift_reason BLOB,
    lifted_at   INTEGER,
    version     INTEGER NOT NULL,
    mac         BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX hold_subject ON hold (subject, review, id) WHERE lifted_at IS NULL;
CREATE INDEX hold_review ON hold (review, id) WHERE lifted_at IS NULL;

-- From `set_at` to `lifted_at` a caller's data may only be stored. The reason is sealed under the caller's record key.
CREATE TABLE restriction (
    id        BLOB PRIMARY KEY,
    subject   TEXT NOT NULL,
    reason    BLOB NOT NULL,
    set_by    BLOB NOT NULL REFERENCES principal (id),
    set_at    INTEGER NOT NULL,
    lifted_at INTEGER,
    version   INTEGER NOT NULL,
    mac       BLOB NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX restriction_in_force ON restriction (subject) WHERE lifted_at IS NULL;

-- When each ticket was closed whose caller was not erased: its period of retention is counted from then.
CREATE TABLE closed (
    ticket    BLOB PRIMARY KEY REFERENCES ticket (id),
    kind      TEXT NOT NULL,
    closed_at INTEGER NOT NULL,
    mac       BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX closed_kind ON closed (kind, closed_at, ticket);

-- Erasing after a period: SHA-256 of the periods that two persons put in force, and how far the newest run has come.
CREATE TABLE retention (
    what        TEXT PRIMARY KEY,
    periods     TEXT NOT NULL,
    put_by      BLOB NOT NULL REFERENCES principal (id),
    token       BLOB NOT NULL REFERENCES api_token (id),
    approved_by BLOB NOT NULL REFERENCES principal (id),
    put_at      INTEGER NOT NULL,
    log         INTEGER NOT NULL,
    most        INTEGER,
    run_at      INTEGER,
    ended_at    INTEGER,
    allowed     INTEGER NOT NULL,
    erased      INTEGER NOT NULL,
    faulty      INTEGER NOT NULL,
    put_off     INTEGER NOT NULL,
    all_kept    INTEGER NOT NULL,
    too_many    INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    mac         BLOB NOT NULL
);

-- How many entries of the log in force are about each caller, as of one of the last entries about them. It follows from the entries.
CREATE TABLE tally (
    subject TEXT PRIMARY KEY,
    count   INTEGER NOT NULL,
    mac     BLOB NOT NULL
) WITHOUT ROWID;

-- Versions of keys that were destroyed: nothing was left under them.
CREATE TABLE destroyed_key (
    role         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    destroyed_by BLOB NOT NULL REFERENCES principal (id),
    destroyed_at INTEGER NOT NULL,
    mac          BLOB NOT NULL,
    PRIMARY KEY (role, version)
) WITHOUT ROWID;

-- How far the newest rewrap of each role's key has come: `position` is a key of the table `place`, `remains` what it could not move, by
-- version.
CREATE TABLE rewrap (
    role       TEXT PRIMARY KEY,
    target     INTEGER NOT NULL,
    started_by BLOB NOT NULL REFERENCES principal (id),
    token      BLOB NOT NULL REFERENCES api_token (id),
    started_at INTEGER NOT NULL,
    rate       INTEGER,
    place      TEXT NOT NULL,
    position   BLOB NOT NULL,
    total      INTEGER NOT NULL,
    seen       INTEGER NOT NULL,
    moved      INTEGER NOT NULL,
    broken     INTEGER NOT NULL,
    remains    TEXT NOT NULL,
    ended_at   INTEGER,
    version    INTEGER NOT NULL,
    mac        BLOB NOT NULL
);
