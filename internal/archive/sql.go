package archive

// The statements.
const (
	columns     = "SELECT name, tenant, object, seq, made, size, sha256, root, entries, pages, bytes, first, last, parts, removed, policy FROM archive_segments"
	readSegment = columns + " WHERE name = $1"
	// A page of the list: so many after a place in the trail.
	readSegments = columns + " WHERE seq > $1 AND ($2 = '' OR tenant = $2) AND last >= $3 AND first < $4 ORDER BY seq LIMIT 256"
	putSegment   = `INSERT INTO archive_segments (name, tenant, object, seq, made, size, sha256, root, entries, pages, bytes, first, last, parts, removed, policy)
		VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '')`
	setSeq      = "UPDATE archive_segments SET seq = $1 WHERE name = $2"
	setRemoved  = "UPDATE archive_segments SET removed = $1, policy = $2 WHERE name = $3 AND removed = 0"
	hasSegment  = "SELECT count(*) FROM archive_segments WHERE name = $1 OR object = $2"
	listTenants = "SELECT DISTINCT tenant FROM archive_segments ORDER BY tenant"
	putPending  = "INSERT INTO archive_pending (name, object, at, size, sha256) VALUES ($1, $2, $3, $4, $5)"
	endPending  = "DELETE FROM archive_pending WHERE name = $1"
	readPending = "SELECT name, object, at, size, sha256 FROM archive_pending WHERE at <= $1 ORDER BY at LIMIT 1024"
	sumSegments = "SELECT count(*), coalesce(sum(size), 0), coalesce(max(last), 0) FROM archive_segments WHERE removed = 0"
)
