package pack

// The statements.
const (
	columns = "SELECT name, tenant, customer, from_at, to_at, reader, evidence, redaction, size, sha256, made, actor FROM packs"
	putPack = `INSERT INTO packs (name, tenant, customer, from_at, to_at, reader, evidence, redaction, size, sha256, made, actor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	listPacks = columns + " ORDER BY made DESC, name LIMIT $1"
	putLeaved = "INSERT INTO pack_leaved (segment, seq, at) VALUES ($1, 0, $2) ON CONFLICT (segment) DO NOTHING"
	setLeaved = "UPDATE pack_leaved SET seq = $1 WHERE segment = $2"
	getLeaved = "SELECT seq FROM pack_leaved WHERE segment = $1"
)
