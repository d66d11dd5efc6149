package consent

import (
	"context"

	"partnerguard/internal/msapi"
)

// Once does one customer in the caller's goroutine, where a test can let it
// crash.
func (s *Service) Once(ctx context.Context, o Options, customer string) error {
	_, err := s.customer(ctx, &o, msapi.Customer{ID: customer}, Intent{})
	return err
}
