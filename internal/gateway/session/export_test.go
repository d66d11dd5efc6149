package session

import "time"

// Early lets a box read its keys again at once.
func Early(b *Box) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = time.Time{}
}
