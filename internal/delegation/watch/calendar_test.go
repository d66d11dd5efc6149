package watch_test

import (
	"bytes"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/entra"
	"partnerguard/internal/print"
)

// hostile are names that others may give.
var hostile = []string{
	"Fabrikam", "", "A\r\nBEGIN:VEVENT\r\nSUMMARY:mine\r\nEND:VEVENT", "a;b,c\\d:e", "=cmd|' /C calc'!A0", "<script>x</script>", "\x1b[31mred\x1b[0m", "a\u202eb",
	strings.Repeat("långt namn ", 500), "\xff\xfe", "ATTACH;FMTTYPE=text/plain:http://x",
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	for _, name := range hostile {
		r := delegation.Relationship{ID: "r1", Name: name, Status: "active", Active: true, End: now.AddDate(0, 0, 20), Roles: []string{entra.RoleDirectoryReaders}}
		inv := inventory(r)
		inv.Customers[0].Name = name
		list := find(inv)
		raw := watch.Calendar(list, now)
		cal, err := ics.ParseCalendar(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%.40q: %v", name, err)
		}
		if n := len(cal.Events()); n != 1 || bytes.Count(raw, []byte("BEGIN:VEVENT")) != 1 && !strings.Contains(name, "VEVENT") {
			t.Fatalf("%.40q: %d events", name, n)
		}
		e := cal.Events()[0]
		if at, err := e.GetStartAt(); err != nil || !at.Equal(now.AddDate(0, 0, 20)) {
			t.Errorf("%.40q: at %v, %v", name, at, err)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n\x1b") {
				t.Errorf("%.40q: the line %q", name, line)
			}
			if strings.HasPrefix(line, "SUMMARY:mine") || strings.HasPrefix(line, "ATTACH") {
				t.Errorf("%.40q begins a line of its own", name)
			}
		}
		if !bytes.Equal(raw, watch.Calendar(list, now)) {
			t.Errorf("%.40q: other bytes the second time", name)
		}
		// The UID stays when name and day change.
		r.Name, r.End = "renamed", now.AddDate(0, 0, 5)
		other, err := ics.ParseCalendar(bytes.NewReader(watch.Calendar(find(inventory(r)), now)))
		if err != nil || other.Events()[0].Id() != e.Id() {
			t.Errorf("%.40q: the UID changed: %v", name, err)
		}
	}
	if raw := watch.Calendar(nil, now); bytes.Contains(raw, []byte("VEVENT")) || !bytes.Contains(raw, []byte("END:VCALENDAR")) {
		t.Errorf("an empty calendar is %q", raw)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	inv := inventory(
		delegation.Relationship{Name: "=Desk", Status: "active", Active: true, End: now.AddDate(0, 0, 20), Roles: []string{entra.RoleDirectoryReaders}},
		delegation.Relationship{Name: "Extends", Status: "active", Active: true, End: now.AddDate(0, 0, 20), AutoExtend: "P180D", Roles: []string{entra.RoleDirectoryReaders}},
	)
	r := watch.Tell(inv, watch.Ends(find(inv)), now, 60)
	var text, sheet, raw bytes.Buffer
	for _, err := range []error{watch.Text(&text, r, print.Options{}), watch.CSV(&sheet, r), watch.JSON(&raw, r)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"1 relationship ends within 60 days", "2 active relationships, of which 1 extend themselves", "in 20 days"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
	if strings.Contains(sheet.String(), ",=Desk") {
		t.Errorf("a cell begins a formula:\n%s", sheet.String())
	}
	if !strings.Contains(raw.String(), `"daysLeft": 20`) {
		t.Errorf("the JSON is %s", raw.String())
	}
}

func FuzzCalendar(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		inv := inventory(delegation.Relationship{Name: name, Status: "active", Active: true, End: now.AddDate(0, 0, 20), Roles: []string{entra.RoleDirectoryReaders}})
		inv.Customers[0].Name = name
		cal, err := ics.ParseCalendar(bytes.NewReader(watch.Calendar(find(inv), now)))
		if err != nil || len(cal.Events()) != 1 {
			t.Fatalf("%q: %v", name, err)
		}
	})
}
