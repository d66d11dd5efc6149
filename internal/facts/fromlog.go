package facts

import "partnerguard/internal/evidence"

// CutsFromLog says what the sign-in log names and the settings do not hold.
func (f *Facts) CutsFromLog() []evidence.Cut { return nil }
