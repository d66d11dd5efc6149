package entra

import (
	"os"
	"regexp"
	"testing"
)

func TestCenterCodes(t *testing.T) {
	t.Parallel()
	last := 0
	for _, c := range CenterCodes() {
		if c.Code <= last {
			t.Errorf("%d does not stand in order, or twice", c.Code)
		}
		last = c.Code
		if c.Status < 400 || c.Status > 599 || c.Text == "" || c.Source == "" || len(c.Text) > 1024 {
			t.Errorf("%d is not whole: %+v", c.Code, c)
		}
		if got, ok := FindCenterCode(c.Code); !ok || got != c {
			t.Errorf("%d is not found", c.Code)
		}
	}
	source, err := os.ReadFile("center_codes.go")
	if err != nil {
		t.Fatal(err)
	}
	if named := regexp.MustCompile(`(?m)^\tCenter\w+ += `).FindAll(source, -1); len(named) != len(CenterCodes()) {
		t.Errorf("%d codes have names, %d a row", len(named), len(CenterCodes()))
	}
	if _, ok := FindCenterCode(1); ok {
		t.Error("a code that is none was found")
	}
	c, _ := FindCenterCode(CenterSubscriptionUnknown)
	if c.Say("x") != "Subscription with ID x not found." {
		t.Errorf("said %q", c.Say("x"))
	}
}
