package skin

import (
	"testing"

	"partnerguard/internal/page/pagetest"
)

func TestContrast(t *testing.T) {
	t.Parallel()
	pagetest.CheckContrast(t, string(Sheet("").CSS))
}
