package claim_test

import (
	"slices"
	"testing"

	"partnerguard/internal/claim"
)

func TestMethods(t *testing.T) {
	t.Parallel()
	got := claim.Methods([]string{"ngcmfa", "pwd", "otp", "pwd", "new-thing"})
	if want := []string{"a password", "a one-time code", `"new-thing"`, "MFA fresh enough to register a method"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := claim.Methods(nil); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
