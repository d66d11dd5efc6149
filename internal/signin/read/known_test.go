package read

import (
	"fmt"
	"testing"
)

// A record of a make met before whose values are the names of types, as documentation prints
// them, is looked at closely, hinted or not.
func TestKnownLooksAtNamesOfTypes(t *testing.T) {
	t.Parallel()
	closely := 0
	n := NewKnown(func(_ []byte, _ bool) bool { closely++; return true })
	record := func(v ...any) []byte {
		return slacked(fmt.Appendf(nil, `{"id":"%s","createdDateTime":"%s","userPrincipalName":"%s","appId":"%s","category":"SignInLogs","status":{"errorCode":0}}`, v...))
	}
	real := func(i int) []byte {
		return record(fmt.Sprint("id", i), "2026-11-11T10:00:00Z", fmt.Sprintf("u%d@x.example", i), fmt.Sprint("app", i))
	}
	for i := range 100 {
		if !n.Take(real(i), i > 60) {
			t.Fatal("a sign-in was not taken")
		}
	}
	if n.dec.makes.fitted < 50 {
		t.Fatalf("only %d fitted a make", n.dec.makes.fitted)
	}
	if closely > 4 {
		t.Errorf("looked closely at %d", closely)
	}
	for _, c := range []struct {
		id    string
		looks int
	}{{"id7", 0}, {"String", 1}} { // two texts of five are something else, and one
		before, fitted := closely, n.dec.makes.fitted
		n.Take(record(c.id, "2026-11-11T10:00:00Z", "String", "String"), true)
		if n.dec.makes.fitted != fitted+1 || closely != before+c.looks {
			t.Errorf("%s: fitted %d makes, %d looks", c.id, n.dec.makes.fitted-fitted, closely-before)
		}
	}
}
