-- Records and log. What identifies a caller is sealed bytes; every other row that decides something carries `mac`, a
-- keyed code over its other columns: the version of the row key, then 16 bytes. Times are milliseconds since 1970-01-01T00:00:00Z.
--
-- WITHOUT ROWID where the key is random bytes: an ordinary table keeps its rows in the order of their insertion, and then
-- the n-th caller sent to a department would be its n-th reference. Without rowids, order says nothing. Tickets, custody
-- and tokens carry times anyway.

CREATE TABLE vault (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    vault  BLOB NOT NULL,
    origin TEXT NOT NULL
);

-- `city_code` is the city's own; `successor` is the department that it was merged into.
CREATE TABLE department (
    code      TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    kind      TEXT NOT NULL,
    city_code TEXT UNIQUE,
    state     TEXT NOT NULL,
    successor TEXT,
    reference_keys BLOB NOT NULL,
    grace_until    INTEGER,
    version   INTEGER NOT NULL,
    mac       BLOB NOT NULL
);
CREATE INDEX department_name ON department (name, code);

-- `acts_for`: this service account may act on behalf of the persons of its department.
CREATE TABLE principal (
    id         BLOB PRIMARY KEY,
    account    TEXT NOT NULL UNIQUE,
    department TEXT NOT NULL REFERENCES department (code),
    kind       TEXT NOT NULL,
    roles      TEXT NOT NULL,
    acts_for   INTEGER NOT NULL,
    active     INTEGER NOT NULL,
    created_by BLOB,
    epoch      INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    mac        BLOB NOT NULL
);
CREATE INDEX principal_department ON principal (department, id);
CREATE INDEX principal_active ON principal (department) WHERE active = 1;

-- An API token is 256 random bits; `hash` is SHA-256 of it, `log` the number of the log that it is good under.
CREATE TABLE api_token (
    id         BLOB PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    principal  BLOB NOT NULL REFERENCES principal (id),
    label      TEXT,
    epoch      INTEGER NOT NULL,
    log        INTEGER NOT NULL,
    by_two     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    version    INTEGER NOT NULL,
    mac        BLOB NOT NULL
);
CREATE INDEX api_token_principal ON api_token (principal, created_at, id);

-- `day` is the last one, counted from 1970-01-01 in UTC, on which the token was used for an act that the log holds.
CREATE TABLE token_day (
    token BLOB PRIMARY KEY REFERENCES api_token (id),
    day   INTEGER NOT NULL,
    mac   BLOB NOT NULL
) WITHOUT ROWID;

-- The newest one-time code of each account, by which its owner fetches a token. `code` is a keyed code of it,
-- `token` the handle that the token will have.
CREATE TABLE token_code (
    principal        BLOB PRIMARY KEY REFERENCES principal (id),
    code             BLOB NOT NULL,
    token            BLOB NOT NULL,
    label            TEXT,
    token_expires_at INTEGER,
    epoch            INTEGER NOT NULL,
    owner_version    INTEGER NOT NULL,
    log              INTEGER NOT NULL,
    issued_by        BLOB NOT NULL REFERENCES principal (id),
    issuer_epoch     INTEGER NOT NULL,
    by_two           INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    open             INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    mac              BLOB NOT NULL
) WITHOUT ROWID;

-- `subject` is what the log calls the caller. `fields` names what is on file, so that a removed field is noticed. A record
-- that was merged into another keeps its fields, key and references; `merged_into` leads to the other. `holds` counts the legal holds
-- in force. `restricted`: the caller's data may only be stored.
CREATE TABLE caller (
    id          BLOB PRIMARY KEY,
    subject     TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    fields      TEXT NOT NULL,
    indexed     INTEGER NOT NULL,
    merged_into BLOB REFERENCES caller (id),
    merged      INTEGER NOT NULL,
    joined_at   INTEGER,
    corrected_by TEXT NOT NULL,
    holds       INTEGER NOT NULL,
    restricted  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    mac         BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX caller_merged_into ON caller (merged_into, id) WHERE merged_into IS NOT NULL;

-- From `since` to `until` what the log says of `whole` is about `part` too. `took` names the fields that were taken from it. It stays
-- when a caller is erased.
CREATE TABLE joined (
    id      BLOB PRIMARY KEY,
    part    TEXT NOT NULL,
    whole   TEXT NOT NULL,
    took    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER,
    version INTEGER NOT NULL,
    mac     BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX joined_part ON joined (part, since, id);
CREATE INDEX joined_whole ON joined (whole, since, id);
CREATE UNIQUE INDEX joined_in_force ON joined (part) WHERE until IS NULL;

-- suite(1) ‖ generation(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16)
CREATE TABLE sealed_field (
    record_kind TEXT NOT NULL,
    record      BLOB NOT NULL,
    field       TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (record_kind, record, field)
) WITHOUT ROWID;

-- `value` is a keyed code: the version of the index key, then 16 bytes.
CREATE TABLE blind_index (
    idx     TEXT NOT NULL,
    value   BLOB NOT NULL,
    caller  BLOB NOT NULL,
    field   TEXT NOT NULL,
    certain INTEGER NOT NULL,
    mac     BLOB NOT NULL,
    PRIMARY KEY (idx, value, caller, field)
) WITHOUT ROWID;
CREATE UNIQUE INDEX blind_index_certain ON blind_index (idx, value) WHERE certain = 1;
CREATE INDEX blind_index_caller ON blind_index (caller, field);

-- `caller` is the caller's id, sealed, and empty once the caller is erased; `subject` is what the log calls them. `turn` is the ticket's
-- place in a queue: by urgency, then by deadline, those without any last.
CREATE TABLE ticket (
    id           BLOB PRIMARY KEY,
    no           TEXT NOT NULL UNIQUE,
    caller       BLOB NOT NULL,
    subject      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    category     TEXT NOT NULL,
    township     TEXT NOT NULL,
    channel      TEXT NOT NULL,
    urgency      TEXT NOT NULL,
    state        TEXT NOT NULL,
    holder       TEXT NOT NULL,
    origin       TEXT NOT NULL,
    worker       TEXT,
    returned_by  TEXT,
    due          INTEGER,
    sign_due     INTEGER,
    extensions   INTEGER NOT NULL,
    supervised   INTEGER NOT NULL,
    solved       TEXT,
    taken_by     BLOB NOT NULL,
    brought_in   INTEGER NOT NULL,
    confidential INTEGER NOT NULL,
    on_file      TEXT NOT NULL,
    received_at  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    mac          BLOB NOT NULL,
    turn         INTEGER NOT NULL AS (
        CASE urgency WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END * 1000000000000000
        + COALESCE(due, 999999999999999)
    )
);
CREATE INDEX ticket_holder ON ticket (holder, created_at, no);
CREATE INDEX ticket_origin ON ticket (origin, created_at, no);
CREATE INDEX ticket_holder_state ON ticket (holder, state, turn, created_at, no);
CREATE INDEX ticket_origin_state ON ticket (origin, state, turn, created_at, no);
CREATE INDEX ticket_holder_open ON ticket (holder, turn, created_at, no) WHERE state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated');
CREATE INDEX ticket_origin_open ON ticket (origin, turn, created_at, no) WHERE state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated');
CREATE INDEX ticket_subject_open ON ticket (subject, origin, confidential) WHERE state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated');
CREATE INDEX ticket_subject_holder ON ticket (subject, holder, created_at, no);
CREATE INDEX ticket_subject_origin ON ticket (subject, origin, created_at, no);
CREATE INDEX ticket_subject ON ticket (subject, created_at, no);

-- How many tickets are about each record of a caller who was not erased.
CREATE TABLE ticket_count (
    subject TEXT PRIMARY KEY,
    tickets INTEGER NOT NULL,
    version INTEGER NOT NULL,
    mac     BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE custody (
    ticket  BLOB NOT NULL REFERENCES ticket (id),
    version INTEGER NOT NULL,
    state   TEXT NOT NULL,
    holder  TEXT NOT NULL,
    actor   BLOB NOT NULL,
    at      INTEGER NOT NULL,
    mac     BLOB NOT NULL,
    PRIMARY KEY (ticket, version)
);

-- What came of attempts to ask callers whether their matters are solved. `version` is the ticket's after the step.
CREATE TABLE callback (
    ticket    BLOB NOT NULL REFERENCES ticket (id),
    version   INTEGER NOT NULL,
    valid     TEXT NOT NULL,
    contacted TEXT,
    solved    TEXT,
    satisfied TEXT,
    mac       BLOB NOT NULL,
    PRIMARY KEY (ticket, version)
);

-- What departments' references stand for. `body` is a keyed code of the reference's body, so that no reference stands here;
-- `sealed_id` is the record's id under a key of its own.
CREATE TABLE reference (
    department TEXT NOT NULL,
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    body       BLOB NOT NULL,
    sealed_id  BLOB NOT NULL,
    PRIMARY KEY (department, kind, version, body)
) WITHOUT ROWID;

-- Answers once given to writes with an Idempotency-Key; `key` and `request` are keyed codes, `answer` is sealed. `req` is
-- the request that the leaf at `leaf_index` must name.
CREATE TABLE replay (
    principal  BLOB NOT NULL,
    key        BLOB NOT NULL,
    request    BLOB NOT NULL,
    answer     BLOB NOT NULL,
    req        TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    leaf_index INTEGER NOT NULL,
    mac        BLOB NOT NULL,
    PRIMARY KEY (principal, key)
) WITHOUT ROWID;

-- Fields as `fields.toml` has declared them: a field with values on file is neither dropped nor declared otherwise.
CREATE TABLE declared_field (
    name   TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    kind   TEXT NOT NULL,
    idx    TEXT,
    mac    BLOB NOT NULL
);

-- What one department hands to another so that it gets a reference of its own to a ticket's caller. `hash` is SHA-256 of the text.
CREATE TABLE transfer (
    id          BLOB PRIMARY KEY,
    hash        BLOB NOT NULL UNIQUE,
    sender      TEXT NOT NULL REFERENCES department (code),
    receiver    TEXT NOT NULL REFERENCES department (code),
    ticket      BLOB NOT NULL REFERENCES ticket (id),
    subject     TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    made_by     BLOB NOT NULL REFERENCES principal (id),
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    accepted_at INTEGER,
    version     INTEGER NOT NULL,
    mac         BLOB NOT NULL
) WITHOUT ROWID;

-- What a handler is given in place of a caller's number, and a relay exchanges for it once. `hash` is SHA-256 of the code.
CREATE TABLE contact (
    id           BLOB PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE,
    ticket       BLOB NOT NULL REFERENCES ticket (id),
    field        TEXT NOT NULL,
    department   TEXT NOT NULL REFERENCES department (code),
    made_by      BLOB NOT NULL REFERENCES principal (id),
    purpose      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    exchanged_by BLOB REFERENCES principal (id),
    exchanged_at INTEGER,
    outcome      TEXT,
    ended_at     INTEGER,
    version      INTEGER NOT NULL,
    mac          BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX contact_ticket ON contact (ticket, made_at, id);

-- What each principal has spent of what is counted, in slots of time.
CREATE TABLE spent (
    principal BLOB NOT NULL REFERENCES principal (id),
    counted   TEXT NOT NULL,
    counts    TEXT NOT NULL,
    version   INTEGER NOT NULL,
    mac       BLOB NOT NULL,
    PRIMARY KEY (principal, counted)
) WITHOUT ROWID;

CREATE TABLE log_head (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    size       INTEGER NOT NULL,
    root       BLOB NOT NULL,
    frontier   BLOB NOT NULL,
    checkpoint TEXT NOT NULL
);

CREATE TABLE log_entry (
    idx       INTEGER PRIMARY KEY,
    body      BLOB NOT NULL,
    leaf_hash BLOB NOT NULL
);

-- The address that the request of an entry came from, sealed for that request; the entry has the digest of `sealed`. `log` is the
-- number of the entry's log, from 1.
CREATE TABLE log_client (
    log    INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (log, idx)
) WITHOUT ROWID;

-- Full tiles only (C2SP tlog-tiles); `root` is the tile's hash one level up.
CREATE TABLE log_tile (
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    root   BLOB NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, n)
);
