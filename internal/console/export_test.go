package console

import "time"

// SafePath is safePath, for tests.
var SafePath = safePath

// Patient waits for what is written aside, so that a test's clock may jump at once.
func (c *Console) Patient() { c.patience = time.Minute }

// Hasty waits for none of it.
func (c *Console) Hasty() { c.patience = 0 }
