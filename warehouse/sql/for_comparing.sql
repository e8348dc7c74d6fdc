-- A million hashes fit, and a parallel join is worth it; for this transaction only.
SET LOCAL work_mem = '128MB';
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL parallel_setup_cost = 0
