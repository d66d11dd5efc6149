package posture_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
	"partnerguard/internal/vouch"
)

func ask() posture.Exception {
	return posture.Exception{Requirement: "mfa-every-user", Accounts: []string{"bo@contoso.com"}, Owner: "Cleo Park", Reason: "a scanner that cannot answer",
		Control: "one address only", Expires: monday.AddDate(0, 3, 0)}
}

// TestException: nothing is silent before a second person approves, nobody approves
// their own, it ends by itself, and the verdict stays.
func TestException(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		silenced := func() bool {
			x, err := r.Silenced(ctx, "mfa-every-user", bo, "Bo@contoso.com")
			r.must(err)
			return x != nil
		}
		x, err := r.AddException(ctx, ask(), "local:ada")
		if err != nil || x.State != posture.Proposed || silenced() {
			t.Fatalf("%+v %v", x, err)
		}
		for _, who := range []string{"local:ada", "ada", "oidc:ADA@contoso.com", `CONTOSO\ada`, "mtls:ada", "cleo.park@contoso.com",
			"local:cleo_park", "", "local:"} {
			if _, err := r.Approve(ctx, x.ID, who); !errors.Is(err, problem.Usage) {
				t.Errorf("approved by %q: %v", who, err)
			}
		}
		if silenced() {
			t.Fatal("silent by its own yes")
		}
		if x, err = r.Approve(ctx, x.ID, "local:ravi"); err != nil || !silenced() {
			t.Fatalf("%+v %v", x, err)
		}
		if _, err := r.Approve(ctx, x.ID, "local:elena"); !errors.Is(err, problem.Conflict) {
			t.Errorf("approved twice: %v", err)
		}
		if _, err := r.Approve(ctx, "x-none", "local:ravi"); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		// It names the finding, and changes no verdict.
		r.keep(good(0))
		k := r.keep(excluded(1))
		if k.Changes.Accounts[0].Excepted == nil || k.Changes.Accounts[0].To != posture.NotMet || k.Changes.Accounts[0].Excepted.Owner != "Cleo Park" ||
			k.Changes.Turned[0].Excepted != nil {
			t.Errorf("%+v", k.Changes)
		}
		said, err := r.Vouched(ctx, tenant, time.Time{})
		if err != nil || len(said) != 1 || said[0].Check() != nil || said[0].ApprovedBy != "local:ravi" || said[0].Until != "2027-02-02"[:10] &&
			said[0].Until != "2027-02-01" {
			t.Errorf("%+v %v", said, err)
		}
		for at, want := range map[time.Time]bool{x.Expires.Add(-time.Microsecond): true, x.Expires: false, x.Decided.Add(-time.Microsecond): false} {
			r.at = at
			if silenced() != want {
				t.Errorf("at %s: %v", at, !want)
			}
		}
		r.at = monday.Add(time.Hour)
		if x, err = r.End(ctx, x.ID, "local:ada"); err != nil || silenced() || x.EndedBy != "local:ada" {
			t.Errorf("%+v %v", x, err)
		}
		if _, err := r.End(ctx, x.ID, "local:ada"); !errors.Is(err, problem.Conflict) {
			t.Error(err)
		}
	})
}

func TestExceptionRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for name, change := range map[string]func(*posture.Exception){
		"no end":           func(x *posture.Exception) { x.Expires = time.Time{} },
		"past":             func(x *posture.Exception) { x.Expires = monday },
		"more than a year": func(x *posture.Exception) { x.Expires = monday.AddDate(1, 0, 3) },
		"no owner":         func(x *posture.Exception) { x.Owner = " " },
		"no reason":        func(x *posture.Exception) { x.Reason = "" },
		"no control":       func(x *posture.Exception) { x.Control = "" },
		"no requirement":   func(x *posture.Exception) { x.Requirement = "" },
		"an escape":        func(x *posture.Exception) { x.Owner = "Ada\x1b[31m" },
		"turned around":    func(x *posture.Exception) { x.Reason = "a\u202eb" },
		"long":             func(x *posture.Exception) { x.Reason = strings.Repeat("x", 1001) },
		"an empty account": func(x *posture.Exception) { x.Accounts = []string{""} },
		"many accounts":    func(x *posture.Exception) { x.Accounts = make([]string, 501) },
	} {
		x := ask()
		change(&x)
		if _, err := r.AddException(t.Context(), x, "local:ada"); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.AddException(t.Context(), ask(), ""); !errors.Is(err, problem.Usage) {
		t.Error("nobody asked for it")
	}
	deps := r.deps
	deps.Marks = nil
	blind, err := posture.New(deps)
	r.must(err)
	if _, err := blind.AddException(t.Context(), ask(), "local:ada"); !errors.Is(err, problem.Internal) {
		t.Error("added without the vault", err)
	}
}

// TestExceptionForged: a row that something else wrote, or that was put back, silences
// nothing, is shown, and can be ended.
func TestExceptionForged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		x, err := r.AddException(ctx, ask(), "local:ada")
		r.must(err)
		silenced := func() bool {
			y, err := r.Silenced(ctx, "mfa-every-user", bo, "bo@contoso.com")
			r.must(err)
			return y != nil
		}
		_, err = d.ExecContext(ctx, "UPDATE exceptions SET state = 'approved', decided_by = 'local:ravi', decided = added")
		r.must(err)
		if silenced() {
			t.Fatal("a forged approval counts")
		}
		if list, err := r.Exceptions(ctx); err != nil || list[0].Standing != "refused" {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := r.Approve(ctx, x.ID, "local:ravi"); !errors.Is(err, vault.ErrForged) {
			t.Errorf("%v", err)
		}
		_, err = d.ExecContext(ctx, "UPDATE exceptions SET state = 'proposed', decided_by = '', decided = 0")
		r.must(err)
		_, err = r.Approve(ctx, x.ID, "local:ravi")
		r.must(err)
		if !silenced() {
			t.Fatal("approved and not silent")
		}
		// Put back to what it was before it was ended: its mark fits, the trail's word does not.
		var mark []byte
		var version int64
		r.must(d.QueryRowContext(ctx, "SELECT mark, version FROM exceptions").Scan(&mark, &version))
		_, err = r.End(ctx, x.ID, "local:ada")
		r.must(err)
		_, err = d.ExecContext(ctx, "UPDATE exceptions SET state = 'approved', ended_by = '', ended = 0, mark = $1, version = $2", mark, version)
		r.must(err)
		if silenced() {
			t.Error("one that was ended counts again")
		}
		_, err = r.End(ctx, x.ID, "local:ada")
		r.must(err)
	})
}

// TestKeptStatements count until they are taken back, and not when forged.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		v := vouch.Statement{Kind: vouch.Attestation, Requirement: "app-passwords", Who: "Ada", Since: "2026-11-01", Until: "2027-04-30", Reason: "looked"}
		k, err := r.KeepStatement(ctx, tenant, v, "local:ada")
		r.must(err)
		if _, err := r.KeepStatement(ctx, tenant, v, "local:bo"); !errors.Is(err, problem.Conflict) {
			t.Error(err)
		}
		if _, err := r.KeepStatement(ctx, tenant, vouch.Statement{Kind: vouch.Attestation}, "a"); err == nil {
			t.Error("kept without an end")
		}
		count := func(tenant string) int {
			list, err := r.Vouched(ctx, tenant, time.Time{})
			r.must(err)
			return len(list)
		}
		if count(tenant) != 1 || count("another") != 0 {
			t.Error("it counts for another tenant, or not for its own")
		}
		for at, want := range map[time.Time]int{k.Kept: 1, k.Kept.Add(-time.Second): 0} { // what is said later made nothing so earlier
			list, err := r.Vouched(ctx, tenant, at)
			if r.must(err); len(list) != want {
				t.Errorf("as of %s %d count, want %d", at, len(list), want)
			}
		}
		_, err = d.ExecContext(ctx, "UPDATE attestations SET tenant = ''")
		r.must(err)
		if count(tenant) != 0 || count("another") != 0 {
			t.Error("a forged one counts")
		}
		r.must(r.DropStatement(ctx, k.ID, "local:ada"))
		if err := r.DropStatement(ctx, k.ID, "local:ada"); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		said, err := r.deps.Last(ctx)
		r.must(err)
		if last, err := said(k.ID); err != nil || last != audit.AttestationRemoved {
			t.Error(last, err)
		}
	})
}
