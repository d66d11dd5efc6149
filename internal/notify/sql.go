package notify

const (
	put    = "INSERT INTO told (key, at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING"
	forget = "DELETE FROM told WHERE at < $1"
)
