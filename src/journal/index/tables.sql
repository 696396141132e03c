-- The tables of the index. A change of them, or of what stands in them, is another VERSION.

-- Which journal it is of, and up to which entry.
CREATE TABLE about (
    journal BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    hash    BLOB NOT NULL       -- of that entry
) STRICT;

-- The cards and redemptions, in the order in which they began.
CREATE TABLE row (
    row   INTEGER PRIMARY KEY,  -- from 0, without gaps
    place INTEGER NOT NULL,     -- first entry * 64 + card; grows with the row
    at    INTEGER NOT NULL,     -- when it began
    state INTEGER NOT NULL,     -- the term that it has now
    open  INTEGER NOT NULL,
    named INTEGER NOT NULL,     -- 1: the provider's id is known
    slips INTEGER NOT NULL      -- how many numbers of slips lead to it
) STRICT;

-- When the rows of a block began.
CREATE TABLE span (
    block INTEGER PRIMARY KEY,
    least INTEGER NOT NULL,
    most  INTEGER NOT NULL
) STRICT;

-- When the entries of a stretch were written.
CREATE TABLE stretch (
    stretch INTEGER PRIMARY KEY,
    least   INTEGER NOT NULL,
    most    INTEGER NOT NULL
) STRICT;

CREATE TABLE posting (
    block INTEGER NOT NULL,
    term  INTEGER NOT NULL,
    rows  BLOB NOT NULL,
    PRIMARY KEY (block, term)
) STRICT, WITHOUT ROWID;

-- Words that are found by their beginnings, and the terms that they lead to.
CREATE TABLE word (
    word TEXT NOT NULL,
    term INTEGER NOT NULL,
    PRIMARY KEY (word, term)
) STRICT, WITHOUT ROWID;

-- The currencies that amounts are in.
CREATE TABLE currency (
    code TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
