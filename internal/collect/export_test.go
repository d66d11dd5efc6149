package collect

import "time"

// Silence says how long a lease stands still before it is taken for dead.
func Silence(c *Collector, d time.Duration) { c.leases.quiet = d }
