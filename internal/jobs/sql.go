package jobs

// The statements beside the library's.
const (
	countWaiting = `SELECT count(*) FROM river_job WHERE state IN ('available', 'pending', 'running', 'retryable', 'scheduled') AND (kind = $1 OR $1 = '')`
	sayBeat      = "INSERT INTO river_client (id, metadata, updated_at) VALUES ($1, $2, CURRENT_TIMESTAMP)" +
		" ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata, updated_at = excluded.updated_at"
	listBeats = "SELECT id, CAST(metadata AS text) FROM river_client"
	endBeat   = "DELETE FROM river_client WHERE id = $1"
	// Of this very try: another one may have begun.
	takeJob     = "UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running' AND attempt = $2"
	buryJob     = "UPDATE river_job SET state = 'discarded', finalized_at = CURRENT_TIMESTAMP WHERE id = $1 AND state = 'running' AND attempt = $2"
	countStates = "SELECT kind, CAST(state AS text), count(*) FROM river_job WHERE state <> 'completed' GROUP BY kind, state"
	oldest      = "SELECT kind, coalesce(max((julianday('now') - julianday(substr(scheduled_at, 1, 19))) * 86400), 0)" +
		" FROM river_job WHERE state = 'available' GROUP BY kind"
	oldestPostgres = "SELECT kind, max(date_part('epoch', now() - scheduled_at))" +
		" FROM river_job WHERE state = 'available' GROUP BY kind"
	takeLock = "SELECT pg_advisory_lock($1)"
	endLock  = "SELECT pg_advisory_unlock($1)"
)
