package mfa

import "context"

// Sweep takes away what is over.
func (s *Store) Sweep(ctx context.Context) error { return s.sweep(ctx) }
