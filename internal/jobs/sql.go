package jobs

// The statements beside the library's.
const (
	countWaiting = `SELECT count(*) FROM river_job WHERE state IN ('available', 'pending', 'running', 'retryable', 'scheduled') AND (kind = $1 OR $1 = '')`
	takeLock     = "SELECT pg_advisory_lock($1)"
	endLock      = "SELECT pg_advisory_unlock($1)"
)
