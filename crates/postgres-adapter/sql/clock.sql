-- The instant of a batch's decisions. To be read after the locks are held, so that a wait can't make a dead hold look alive.
SELECT clock_timestamp() AS now
