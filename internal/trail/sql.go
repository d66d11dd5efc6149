package trail

// The statements.
const (
	readChain  = "SELECT anchor, seq, hash FROM trail_chain WHERE one = 1"
	countHeads = "SELECT count(*) FROM trail_head"
	putHead    = "INSERT INTO trail_head (one, id, size, nodes) VALUES (1, $1, 0, $2) ON CONFLICT (one) DO NOTHING"
	countKept  = `SELECT (SELECT count(*) FROM trail_pages)
		+ (SELECT count(*) FROM trail_tiles) + (SELECT count(*) FROM trail_anchors)`
	setHead       = "UPDATE trail_head SET size = $1, nodes = $2 WHERE one = 1"
	readStandings = "SELECT anchor, size, at, tried, failing, reason FROM trail_anchors ORDER BY anchor"
	readProofs    = "SELECT size, at, note, proof FROM trail_proofs WHERE anchor = $1 ORDER BY size"
	putStanding   = `INSERT INTO trail_anchors (anchor, size, at, tried, failing, reason) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (anchor) DO UPDATE SET size = excluded.size, at = excluded.at, tried = excluded.tried, failing = excluded.failing, reason = excluded.reason`
	putProof = `INSERT INTO trail_proofs (anchor, size, at, note, proof) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (anchor, size) DO UPDATE SET at = excluded.at, note = excluded.note, proof = excluded.proof`
	lockHead         = "UPDATE trail_head SET size = size WHERE one = 1 RETURNING size, nodes"
	readHead         = "SELECT id, size, nodes FROM trail_head WHERE one = 1"
	readPages        = "SELECT first, last, earliest, latest, entries FROM trail_pages WHERE "
	insertTile       = "INSERT INTO trail_tiles (level, n, root, hashes) VALUES ($1, $2, $3, $4)"
	readRoots        = "SELECT root FROM trail_tiles WHERE level = $1 AND n >= $2 AND n < $3 ORDER BY n"
	readPagesBetween = "SELECT first, last, earliest, latest, entries FROM trail_pages WHERE last > $1 AND first <= $2 AND first > $3 ORDER BY first"
	readHashes       = "SELECT hashes FROM trail_tiles WHERE level = $1 AND n = $2"
	readTile         = "SELECT root, hashes FROM trail_tiles WHERE level = $1 AND n = $2"
	countTilesBelow  = "SELECT count(*) FROM trail_tiles WHERE level = $1 AND n < $2"
)

// The statements of a commit, which are kept prepared: to parse them cost a third
// of a small one.
const (
	moveHead = "UPDATE trail_head SET size = $1, nodes = $2 WHERE one = 1 AND size = $3 AND nodes = $4"
	putPage  = "INSERT INTO trail_pages (first, last, earliest, latest, entries) VALUES ($1, $2, $3, $4, $5)"
)
