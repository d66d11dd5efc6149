package directory

import (
	"testing"
	"time"
)

// TestAlike: between two moments at which every schedule stands the same nothing
// needs to be worked out anew, and over the end of one it does.
func TestAlike(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	d := New()
	a := RoleAssignment{ID: "a", PrincipalID: "u", RoleDefinitionID: "r"}
	a.EndDateTime.Time, a.EndDateTime.Set = day(20), true
	if !d.AddAssignment(a) {
		t.Fatal("not kept")
	}
	if !d.Alike(day(1), day(19)) || !d.Alike(day(20), day(28)) || d.Alike(day(19), day(20)) {
		t.Error("the end of an assignment is not seen, or seen where it is not")
	}
	g := GroupSchedule{ID: "g", PrincipalID: "u", GroupID: "x"}
	g.StartDateTime.Time, g.StartDateTime.Set = day(10), true
	if !d.AddGroupSchedule(g) {
		t.Fatal("not kept")
	}
	if d.Alike(day(1), day(11)) || !d.Alike(day(11), day(19)) {
		t.Error("the beginning of a membership is not seen")
	}
}
