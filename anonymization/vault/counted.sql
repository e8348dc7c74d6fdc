-- What the country's counts of names hold of somebody who waits to be compared again: what was known before, sealed.
ALTER TABLE vault.likeness ADD COLUMN counted bytea;
