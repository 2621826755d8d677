-- What a witness must not forget. Nothing here is secret; its private key is in a file beside it.

-- Whose memory this is: the witness's public key. A memory and a key that do not belong together are refused at start.
CREATE TABLE witness (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    vkey TEXT NOT NULL
);

-- The keys a log may sign with.
CREATE TABLE log_key (
    origin TEXT NOT NULL,
    vkey   TEXT NOT NULL,
    PRIMARY KEY (origin, vkey)
);

-- The largest tree of each log that was cosigned, and the log's own signed words for it: with another note of the same
-- size they prove a fork.
CREATE TABLE cosigned (
    origin TEXT PRIMARY KEY,
    size   INTEGER NOT NULL,
    root   BLOB NOT NULL,
    note   TEXT NOT NULL
);
