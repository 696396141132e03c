-- Version 1. Never edited once released: its digest is written into every journal.

-- What the journal is: its id, the check of the terminal key.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE migration (
    version INTEGER PRIMARY KEY,
    sha256  BLOB NOT NULL,
    at      INTEGER NOT NULL   -- ms since 1970-01-01T00:00Z
) STRICT;

-- The journal itself. Everything below it can be made again from it, except the keys.
-- The entries of a sale, a redemption or a device are a chain of their own: its row names the last, each names the one before it.
-- An index would cost every commit a page.
CREATE TABLE entry (
    seq            INTEGER PRIMARY KEY,
    hash           BLOB NOT NULL,      -- first, so that the head of the chain is read without the rest
    at             INTEGER NOT NULL,   -- ms since 1970-01-01T00:00Z
    subject        BLOB NOT NULL,      -- UUID, 16 bytes: of a sale, a redemption or a device, which the kind tells
    previous       INTEGER,            -- the subject's entry before it; none if it opens the subject
    card           INTEGER,            -- from 1; none if it is about the whole sale, a redemption or a device
    kind           TEXT NOT NULL,
    state          TEXT NOT NULL,      -- of the card after it, or of all cards; of the redemption; of the device
    phase          TEXT,               -- of the sale after it; none if it is about something else
    open           INTEGER NOT NULL,   -- 1: something remained to be done or decided
    body           TEXT NOT NULL,      -- JSON, nothing secret
    sealed         BLOB,
    request_key    TEXT,
    request_digest BLOB
) STRICT;
CREATE UNIQUE INDEX entry_of_request ON entry (request_key) WHERE request_key IS NOT NULL;

CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'an entry is never changed');
END;
CREATE TRIGGER entry_is_not_removed BEFORE DELETE ON entry
BEGIN
    SELECT RAISE(ABORT, 'an entry is never removed');
END;

-- One key an order or a redemption, wrapped by the terminal key. Removing the row is what forgets its codes.
CREATE TABLE seal_key (
    owner    BLOB PRIMARY KEY,         -- UUID of the order or the redemption
    wrapped  BLOB NOT NULL,
    made_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For questions: made from the entries.
CREATE TABLE sale (
    first_seq     INTEGER PRIMARY KEY,
    last_seq      INTEGER NOT NULL,
    id            BLOB NOT NULL UNIQUE,
    receipt       TEXT NOT NULL,
    holds_receipt INTEGER NOT NULL,    -- 1: the receipt is this sale's own
    open          INTEGER NOT NULL,    -- 1: something remains to be done or decided
    phase         TEXT NOT NULL,
    provider      TEXT NOT NULL,
    store         TEXT NOT NULL,
    terminal      TEXT NOT NULL,
    cashier       TEXT,
    currency      TEXT NOT NULL,
    total         INTEGER NOT NULL,    -- minor units
    paid          INTEGER,             -- minor units
    opened_at     INTEGER NOT NULL,
    closed_at     INTEGER
) STRICT;
CREATE INDEX sale_that_is_open ON sale (first_seq) WHERE open = 1;
CREATE UNIQUE INDEX sale_that_holds_a_receipt ON sale (receipt) WHERE holds_receipt = 1;
CREATE INDEX sale_by_receipt ON sale (receipt);

-- Its number grows with the journal, so that the rows of a sale stand together and new ones at the end: a commit then
-- touches one page of this table.
CREATE TABLE card (
    id             INTEGER PRIMARY KEY, -- sale * 64 + card
    sale           INTEGER NOT NULL,    -- its first_seq
    card           INTEGER NOT NULL,    -- from 1
    order_id       BLOB NOT NULL UNIQUE,
    provider_order TEXT,
    product        TEXT NOT NULL,
    product_name   TEXT NOT NULL,
    kind           TEXT NOT NULL,
    code_tail      TEXT,
    face_value     INTEGER NOT NULL,   -- minor units of the sale's currency
    state          TEXT NOT NULL,
    owed           INTEGER NOT NULL,   -- 1: an undo is owed
    closed_at      INTEGER             -- when nothing remained to be done or decided for it
) STRICT;

-- Its pages are not touched by sales, nor theirs by it.
CREATE TABLE redemption (
    first_seq           INTEGER PRIMARY KEY,
    last_seq            INTEGER NOT NULL,
    id                  BLOB NOT NULL UNIQUE,
    basket              TEXT NOT NULL,
    open                INTEGER NOT NULL,   -- 1: something remains to be done or decided
    state               TEXT NOT NULL,
    owed                INTEGER NOT NULL,   -- 1: a reversal is owed
    provider            TEXT NOT NULL,
    store               TEXT NOT NULL,
    terminal            TEXT NOT NULL,
    cashier             TEXT,
    kind                TEXT NOT NULL,
    code_tail           TEXT NOT NULL,
    amount              INTEGER NOT NULL,   -- asked for: minor units, or items
    currency            TEXT,               -- of the amount; none if it counts items
    taken               INTEGER,            -- minor units, or items
    taken_currency      TEXT,               -- likewise
    provider_redemption TEXT,
    opened_at           INTEGER NOT NULL,
    closed_at           INTEGER
) STRICT;
CREATE INDEX redemption_that_is_open ON redemption (first_seq) WHERE open = 1;
CREATE INDEX redemption_by_basket ON redemption (basket);

-- Devices beside the till, each as its last entry left it.
CREATE TABLE device (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    id        BLOB NOT NULL UNIQUE,     -- UUID, made of the name
    name      TEXT NOT NULL,
    fault     TEXT,                     -- what hinders it; none if nothing does
    paper_low INTEGER NOT NULL,         -- 1: the roll is near its end
    at        INTEGER NOT NULL          -- of the last entry
) STRICT;

-- Days that were closed, each by its one entry.
CREATE TABLE day (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,         -- the same
    id        BLOB NOT NULL UNIQUE,     -- UUID, made of the date
    day       TEXT NOT NULL UNIQUE,     -- 2026-11-22
    number    INTEGER NOT NULL UNIQUE,  -- from 1
    person    TEXT NOT NULL,            -- who closed it
    after_seq INTEGER NOT NULL,         -- the last entry that is not in it
    upto_seq  INTEGER NOT NULL,         -- the last that is
    open      INTEGER NOT NULL,         -- how many cards and redemptions were not closed
    at        INTEGER NOT NULL
) STRICT;

-- Codes that no provider knew, and the moments when a manager let the terminal try again; no part of the chain. The newest
-- are kept.
CREATE TABLE wrong_code (
    id     INTEGER PRIMARY KEY,        -- grows: what is later is greater
    at     INTEGER NOT NULL,
    person TEXT,
    mac    BLOB                        -- HMAC-SHA256 of the code; none: a manager let it try again
) STRICT;

-- A cache; no part of the chain.
CREATE TABLE product_list (
    provider TEXT PRIMARY KEY,
    at       INTEGER NOT NULL,
    body     TEXT NOT NULL             -- JSON
) STRICT;
