-- How the root key opens. A key store of before has one that opens by a passphrase, and that was never wrapped anew.
ALTER TABLE unlock ADD COLUMN way TEXT NOT NULL DEFAULT 'passphrase';
ALTER TABLE unlock ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE unlock ADD COLUMN threshold INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unlock ADD COLUMN shares INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unlock ADD COLUMN token TEXT NOT NULL DEFAULT '';
ALTER TABLE unlock ADD COLUMN key_label TEXT NOT NULL DEFAULT '';
