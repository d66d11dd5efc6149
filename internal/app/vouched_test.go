package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// copied is a folder of one's own with the files of another.
func copied(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// everything vouches for every requirement and leaves out every account.
func everything(accounts []assess.Account) string {
	var b strings.Builder
	b.WriteString("attestations:\n")
	const rest = "    who: Mallory\n    since: 2026-11-01\n    until: 2027-10-31\n    reason: because\n"
	for _, r := range partner.Book() {
		fmt.Fprintf(&b, "  - requirement: %s\n%s", r.ID, rest)
	}
	b.WriteString("exceptions:\n")
	for i := range accounts[:min(len(accounts), 400)] {
		if id := accounts[i].ID; id != "" {
			fmt.Fprintf(&b, "  - account: %s\n    requirement: mfa-every-user\n%s", id, rest)
		}
	}
	return b.String()
}

// TestNobodysWordGoesBeforeEvidence: over every shared folder and the sample,
// vouching for everything turns unknown to attested at most; what is not met
// stays so, and no account changes.
func TestNobodysWordGoesBeforeEvidence(t *testing.T) {
	t.Parallel()
	asOf := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	counts := map[string]int{}
	for _, folder := range situations(t) {
		if folder == "" {
			folder, asOf = filepath.Join("..", "sample", "exports"), time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
		}
		dir := copied(t, folder)
		before := as(t, dir, asOf)
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "attestations.yaml"), []byte(everything(before.Accounts)), 0o600); err != nil {
			t.Fatal(err)
		}
		after := as(t, dir, asOf)
		for i, q := range after.Requirements {
			was := before.Requirements[i]
			switch {
			case q.Verdict == was.Verdict:
			case q.Verdict == assess.Attested && was.Verdict == assess.Unknown:
				counts["attested"]++
				if q.AttestedBy != "Mallory" || q.AttestedUntil != "2027-10-31" || !strings.Contains(q.Reason, was.Reason) {
					t.Errorf("%s: %s: %+v", folder, q.ID, q)
				}
			default:
				t.Errorf("%s: %s turns from %s (%s) to %s (%s)", folder, q.ID, was.Verdict, was.Reason, q.Verdict, q.Reason)
			}
		}
		for i := range after.Accounts {
			if a, was := &after.Accounts[i], &before.Accounts[i]; a.MFA != was.MFA {
				t.Errorf("%s: %s turns from %s to %s", folder, a.UserPrincipalName, was.MFA, a.MFA)
			}
		}
		for i := range after.Attestations {
			counts[after.Attestations[i].Effect]++
		}
		if before.Complete != after.Complete || after.Age.Mixed != before.Age.Mixed || len(after.Age.Banner) != len(before.Age.Banner) {
			t.Errorf("%s: what is vouched for changes how whole or old the evidence is: %v", folder, after.Age.Banner)
		}
	}
	for _, effect := range []string{"attested", assess.EffectContradicted, assess.EffectNotNeeded, assess.EffectShown} {
		if counts[effect] == 0 {
			t.Errorf("nothing was %s: the test shows too little", effect)
		}
	}
}

// TestEndedCountsNoMore: past its day an attestation is told of, and counts no
// more.
func TestEndedCountsNoMore(t *testing.T) {
	t.Parallel()
	dir := folderOf(t, map[string]string{"defaults.json": defaultsOn, "a.yaml": everything(nil)})
	for day, want := range map[string]assess.Verdict{"2026-10-31": assess.Unknown, "2026-11-29": assess.Attested, "2027-10-31": assess.Attested,
		"2027-11-01": assess.Unknown} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		r := as(t, dir, at.Add(12*time.Hour))
		for _, q := range r.Requirements {
			if q.ID == "app-passwords" && q.Verdict != want {
				t.Errorf("%s: %s: %s", day, q.Verdict, q.Reason)
			}
		}
		if want == assess.Unknown && (r.Attestations[0].Effect != assess.EffectNone || r.Attestations[0].Text == "") {
			t.Errorf("%s: %+v", day, r.Attestations[0])
		}
	}
}

// TestABadFileVouchesForNothing, and takes nothing from the rest.
func TestABadFileVouchesForNothing(t *testing.T) {
	t.Parallel()
	asOf := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	good := as(t, folderOf(t, map[string]string{"defaults.json": defaultsOn}), asOf)
	dir := folderOf(t, map[string]string{"defaults.json": defaultsOn, "a.yaml": strings.Replace(everything(nil), "until: 2027-10-31", "untill: 2027-10-31", 1)})
	r := as(t, dir, asOf)
	if r.Complete || len(r.Attestations) != 0 {
		t.Errorf("%v %v", r.Complete, r.Attestations)
	}
	for i := range r.Inputs {
		if in := &r.Inputs[i]; strings.HasSuffix(in.Path, "a.yaml") && (in.Status != evidence.Unreadable || len(in.Notes) == 0 ||
			!strings.Contains(in.Notes[0].Message, "line 5")) {
			t.Errorf("%+v", in)
		}
	}
	for i, q := range r.Requirements {
		if q.Verdict != good.Requirements[i].Verdict {
			t.Errorf("%s: %s: %s", q.ID, q.Verdict, q.Reason)
		}
	}
}
