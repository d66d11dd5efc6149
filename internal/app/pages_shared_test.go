package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/people"
	"partnerguard/internal/signin"
)

// TestPeopleOfExports: over the sample and whatever others wrote, in whole and in parts, a
// cell that nobody read says unknown, and what is unknown says what settles it.
func TestPeopleOfExports(t *testing.T) {
	t.Parallel()
	from := []string{""}
	for _, pattern := range []string{"truth/*/input", "field/*/input", "data/tenant-exports/*"} {
		list, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", pattern))
		if err != nil {
			t.Fatal(err)
		}
		from = append(from, list...)
	}
	if len(from) == 1 && os.Getenv("CI") != "" {
		t.Fatal("the shared exports are missing")
	}
	accounts, open, unknown := 0, 0, 0
	for n, path := range from {
		if testing.Short() && n > 20 {
			break
		}
		var log people.Log
		r := Reading{}
		if path != "" {
			r.From = []string{path}
		}
		j, err := judge(t.Context(), r, Question{Now: time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)}, func() signin.Visitor { return log.Visitor() })
		if err != nil {
			continue // what cannot be judged has no page
		}
		p := peopleOf(j, "x", true, &log)
		if len(p.Rows) != len(j.Report.Accounts) || p.Whole != j.Facts.Whole(evidence.User) {
			t.Errorf("%s: %d rows of %d accounts, whole %v", path, len(p.Rows), len(j.Report.Accounts), p.Whole)
		}
		for i := range p.Rows {
			x := &p.Rows[i]
			accounts++
			if why := cells(j, x); why != "" {
				t.Errorf("%s: %s: %s", path, x.UPN, why)
			}
			open += b2i(x.Proof == people.Open)
			unknown += b2i(x.Proof == people.Unknown)
		}
	}
	if accounts == 0 || open == 0 || unknown == 0 && len(from) > 1 {
		t.Errorf("%d accounts, %d open, %d unknown: nothing was tried", accounts, open, unknown)
	}
}

// cells says what a row says of what was not read.
func cells(j *Judged, x *people.Row) string {
	f := j.Facts
	read := slices.ContainsFunc(x.Sources, func(s people.Source) bool { return s.What == "registration" })
	switch {
	case x.Proof == people.Open && x.Gap == 0:
		return "it is open, and nobody says where"
	case x.Proof == people.Unknown && strings.TrimSpace(x.Settle) == "":
		return "its proof is unknown, and nothing settles it"
	case x.Proof == people.Asked && j.Engine == nil:
		return "without settings it is asked at every sign-in"
	case !read && (x.Factor != people.Unknown || x.Registered != people.Unknown):
		return "its registration was not read, and is " + x.Factor + ", " + x.Registered
	case f.SignIns == nil && (x.Log != people.SeenUnknown || x.Daily != nil):
		return "the log was not read, and it is " + x.Log
	case x.Log == people.SeenNever && !f.Whole(evidence.SignIn):
		return "not all of the log was read, and it was never seen"
	case x.Log == people.SeenAsked && x.Unasked > 0:
		return "it went without MFA, and always had it"
	case x.Enabled == people.Yes && f.Directory.Users[strings.ToLower(x.ID)] == nil:
		return "the account was not read, and is enabled"
	case x.RolesRead == people.Yes && !f.RolesKnown():
		return "roles were not read, and count as read"
	}
	return ""
}
