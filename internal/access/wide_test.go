package access

import (
	"fmt"
	"testing"
)

// TestManyApps: policies that name more apps than a small number counts still
// have each its own class.
func TestManyApps(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 40_000 {
		ids = append(ids, fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i))
	}
	p := covering(func(p *Policy) { p.Conditions.Applications.IncludeApplications = ids[1:] })
	e := Compile(whole(p))
	for i, want := range map[int]Outcome{0: MFANotRequired, 1: MFARequired, 32_766: MFARequired, 32_768: MFARequired, 39_999: MFARequired} {
		if got := e.Decide(SignIn{User: 0, App: ids[i], Client: "browser", Platform: "windows"}).Outcome; got != want {
			t.Errorf("app %d: %v, want %v", i, got, want)
		}
	}
}
