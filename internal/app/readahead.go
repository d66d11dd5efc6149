package app

import (
	"runtime"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake"
	"partnerguard/internal/signin/read"
)

// Workers is how many batches of sign-ins are read at once: none where somebody wants
// to see each record first.
func (s *sink) Workers() int {
	if s.records != nil {
		return 0
	}
	return runtime.GOMAXPROCS(0)
}

// Begin has a batch of sign-ins read and added to the fold.
func (s *sink) Begin(b *read.Batch) {
	if s.pool == nil {
		s.pool = read.NewPool(s.fold, s.Workers(), intake.Sure)
		s.begun = map[string]int{}
	}
	b.Seq = s.order(b.Source.Path)
	s.begun[b.Source.Path] = b.Seq
	s.pool.Begin(b)
}

// Wait waits for a batch and counts what it held.
func (s *sink) Wait(b *read.Batch) error {
	b.Wait()
	s.facts.Seen[evidence.SignIn] += b.Rows
	return s.fold.Err()
}

// Ended says that nothing more of an input comes.
func (s *sink) Ended(path string) { delete(s.begun, path) }

// end merges what was read on other cores into the fold.
func (s *sink) end() {
	if s.pool != nil {
		s.pool.Close()
		s.pool = nil
	}
}
