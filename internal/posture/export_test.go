package posture

// Tries makes the jobs of a judging again die after so many.
func (s *Store) Tries(n int) { s.tries = n }
