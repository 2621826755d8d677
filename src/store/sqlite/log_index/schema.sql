-- The index of the log. Derived: it is emptied and filled again rather than migrated. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE position (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    last BLOB
);
INSERT INTO position VALUES (1, 0, NULL);

CREATE TABLE term (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    value   TEXT NOT NULL,
    entries INTEGER NOT NULL,
    UNIQUE (kind, value)
);

CREATE TABLE posting (
    term INTEGER NOT NULL,
    idx  INTEGER NOT NULL,
    PRIMARY KEY (term, idx)
) WITHOUT ROWID;

-- Marks are as good as random numbers. In one list over the whole log each would be written to a page of its own; in lists
-- of some 262,144 entries the newest stays in memory, and to look one up is a step in each list.
CREATE TABLE mark (
    segment INTEGER NOT NULL,
    bits    INTEGER NOT NULL,
    idx     INTEGER NOT NULL,
    PRIMARY KEY (segment, bits, idx)
) WITHOUT ROWID;

CREATE TABLE block (
    level INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    t_min INTEGER NOT NULL,
    t_max INTEGER NOT NULL,
    PRIMARY KEY (level, n)
) WITHOUT ROWID;
