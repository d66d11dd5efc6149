package practice_test

import (
	"strings"
	"testing"

	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
)

// TestTasksReferToNothing: no task speaks of what stands somewhere else.
func TestTasksReferToNothing(t *testing.T) {
	for _, p := range partner.Practices() {
		for _, step := range practice.Remedies()[p.ID].Steps {
			for _, word := range []string{"above", "below", "is named", "are named", "list them", "the report"} {
				if strings.Contains(step, word) {
					t.Errorf("%s: %q refers to what its plan does not have", p.ID, step)
				}
			}
		}
	}
}
