package fraud

import "time"

// What is asked of a partner (contracts.md section 7.4).
const (
	Goal   = time.Hour           // guidance: react within
	Duty   = 24 * time.Hour      // mandatory: answered within, on average
	Window = 30 * 24 * time.Hour // what the average is over
)
