-- The programme whose sources a person is recognised in; '' is the common one. Nobody is compared across programmes.
ALTER TABLE vault.likeness ADD COLUMN programme text NOT NULL DEFAULT '';
