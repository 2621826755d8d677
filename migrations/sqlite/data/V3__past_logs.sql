-- Logs that another has followed (`callervault audit restart`): their last head and every entry, so that what they say was
-- written can still be checked. `n` counts from 1.

CREATE TABLE past_log (
    n          INTEGER PRIMARY KEY,
    size       INTEGER NOT NULL,
    root       BLOB NOT NULL,
    checkpoint TEXT NOT NULL
);

CREATE TABLE past_entry (
    n         INTEGER NOT NULL REFERENCES past_log (n),
    idx       INTEGER NOT NULL,
    body      BLOB NOT NULL,
    leaf_hash BLOB NOT NULL,
    PRIMARY KEY (n, idx)
);
