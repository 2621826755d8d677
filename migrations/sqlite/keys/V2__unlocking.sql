-- Wrong passphrases that a running server was given since the vault was last unlocked, by where they came from. Kept here, so that
-- neither a restart nor another node forgets them.
CREATE TABLE unlock_try (
    came_from TEXT PRIMARY KEY NOT NULL,
    wrong     INTEGER NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL
) WITHOUT ROWID;
