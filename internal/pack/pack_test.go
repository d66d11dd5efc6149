package pack_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/packtest"
	"partnerguard/internal/problem"
)

// verified wants a pack that holds and comes out again.
func verified(t *testing.T, h *packtest.House, path string) *pack.Report {
	t.Helper()
	r, err := pack.VerifyFile(t.Context(), path, form.Trust{Key: h.Signer.Verifier()}, packtest.Count, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		t.Errorf("%s: %s: %s", f.Check, f.Where, f.What)
	}
	return r
}

// TestMake makes a pack of a month and finds that it holds, that what is in it is what
// the archive shows, and that a public reader of ZIP reads it.
func TestMake(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := build(t, d)
		h.Fill()
		out := filepath.Join(t.TempDir(), "pack.zip")
		made, err := h.Store.Make(t.Context(), h.October(out))
		if err != nil {
			t.Fatal(err)
		}
		r := verified(t, h, out)
		if !r.Rejudged || !r.Pinned || r.Pages != 5 ||
			r.Segments != 3 || r.Trail < 5 || r.Checkpoints != 5 || r.Stamped.IsZero() || r.Trusted ||
			r.Unchecked != 4 || r.Cosigned != 0 || len(made.Manifest.Verdicts) != 3 {
			t.Errorf("%+v", r)
		}
		live, err := h.Archive.View(t.Context(), archive.ViewOf{Tenant: packtest.Tenant, AsOf: made.Manifest.AsOf, Since: made.Manifest.Since})
		if err != nil {
			t.Fatal(err)
		}
		p := open(t, out)
		shown, err := pack.View(t.Context(), p, made.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := packtest.Sums(t, live), packtest.Sums(t, shown); !slices.Equal(a, b) || len(a) != 3 {
			t.Errorf("the archive shows %v, the pack %v", a, b)
		}
		z, err := zip.OpenReader(out)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if len(z.File) != r.Entries {
			t.Errorf("%d entries, and archive/zip finds %d", r.Entries, len(z.File))
		}
		list, err := h.Store.List(t.Context(), 10)
		if err != nil || len(list) != 1 || list[0].SHA256 != made.SHA256 || list[0].Actor != "os:tester" {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := h.Store.Make(t.Context(), h.October(out)); !errors.Is(err, problem.Conflict) {
			t.Errorf("a pack took the place of another: %v", err)
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(out), ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
}

func open(t *testing.T, path string) *form.Reader {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := form.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRedacted leaves names and addresses out: nothing of them is in the file, and the
// verdicts come out again.
func TestRedacted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := build(t, d)
		h.Fill()
		if n, err := h.Store.Leave(t.Context(), 1<<40); err != nil || n != 4 {
			t.Fatal(n, err)
		}
		if n, err := h.Store.Leave(t.Context(), 1<<40); err != nil || n != 0 {
			t.Fatal(n, err)
		}
		o := h.October(filepath.Join(t.TempDir(), "pack.zip"))
		o.Redact = []string{"names", "addresses"}
		made, err := h.Store.Make(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if r := verified(t, h, o.Out); !r.Rejudged || r.Pages != 5 {
			t.Errorf("%+v", r)
		}
		raw, err := os.ReadFile(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"Person", "contoso.example", "203.0.113", "adele", "vault that is none"} {
			if bytes.Contains(raw, []byte(secret)) {
				t.Errorf("%q is in the pack", secret)
			}
		}
		if n := made.Manifest.Leaves; n.ByMember < 1500*2 || n.Shown < 1500 || n.Withheld != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// TestRedactionThatDecides refuses a pack whose verdict needs what is left out, names the
// member, and makes it when that is shown, or when it says so.
func TestRedactionThatDecides(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	h.Keep("users", "whole", `{"value":[{"id":"u1","displayName":"Break glass","mail":"b@contoso.example"},{"id":"u2","displayName":"P"}]}`)
	h.Fill()
	h.Now = packtest.Day.AddDate(0, 0, 3)
	h.Keep("users", "whole", `{"value":[{"id":"u1","displayName":"Break glass","mail":"b@contoso.example"},{"id":"u2","displayName":"P"}]}`)
	h.Now = packtest.Day.AddDate(0, 1, 0)
	o := h.October(filepath.Join(t.TempDir(), "pack.zip"))
	o.Redact = []string{"names"}
	_, err := h.Store.Make(t.Context(), o)
	if !errors.Is(err, problem.Unmet) || !strings.Contains(problem.HintOf(err), "--keep displayname shows it") {
		t.Fatalf("%v: %s", err, problem.HintOf(err))
	}
	o.Keep = []string{"displayName"}
	if _, err := h.Store.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, h, o.Out); !r.Rejudged {
		t.Errorf("%+v", r)
	}
	o.Keep, o.NotRejudged, o.Out = nil, true, filepath.Join(t.TempDir(), "other.zip")
	if _, err := h.Store.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, h, o.Out); r.Rejudged || !strings.Contains(r.NotJudged, "users.json was met (1 of 2)") {
		t.Errorf("%+v", r)
	}
}

// TestRedactionOfUnknown makes a pack of what is unknown with and without what is left out,
// though it counts otherwise: it counts what is read, and says what it counted before. Both
// verifiers take it; and none that counts so what is known.
func TestRedactionOfUnknown(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	h.Fill()
	h.Keep("groups", "whole", `{"value":[{"id":"g1","displayName":"Break glass"},{"id":"g2","displayName":"P"}]}`)
	count := func(ctx context.Context, e *pack.Evidence) ([]pack.Verdict, error) {
		out, err := packtest.Count(ctx, e)
		for i := range out {
			if out[i].Affected > 0 || out[i].Requirement == "groups.json" {
				out[i].Verdict = form.Unknown
			}
		}
		return out, err
	}
	judge := h.Store.Judge
	h.Store.Again = count
	h.Store.Judge = func(ctx context.Context, e *pack.Evidence) (*pack.Judged, error) {
		j, err := judge(ctx, e)
		if err == nil {
			j.Verdicts, err = count(ctx, e)
		}
		return j, err
	}
	o := h.October(filepath.Join(t.TempDir(), "pack.zip"))
	o.To = h.Now.Add(time.Minute)
	h.Now = o.To.Add(time.Minute)
	o.Redact = []string{"names"}
	made, err := h.Store.Make(t.Context(), o)
	if err != nil {
		t.Fatalf("%v: %s", err, problem.HintOf(err))
	}
	m := made.Manifest
	if len(m.Recounted) != 1 || m.Recounted[0] != (form.Recount{Requirement: "groups.json", Affected: 1, Total: 2}) ||
		!slices.ContainsFunc(m.Verdicts, func(v pack.Verdict) bool {
			return v.Requirement == "groups.json" && v.Verdict == form.Unknown && v.Affected == 0 && v.Total == 2
		}) {
		t.Errorf("it says %+v of %+v", m.Recounted, m.Verdicts)
	}
	r, err := pack.VerifyFile(t.Context(), o.Out, form.Trust{}, count, nil)
	if err != nil || r.Err() != nil || !r.Rejudged {
		t.Errorf("%v %+v", err, r)
	}
	if little, out := bySmall(t, o.Out); len(little) > 0 {
		t.Error(out)
	}
	odd := *m
	for _, x := range []form.Recount{{Requirement: "users.json", Total: 9}, {Requirement: "groups.json", Total: 2}, {Requirement: "none", Total: 1}} {
		if odd.Recounted = []form.Recount{x}; odd.Check() == nil {
			t.Errorf("%+v is taken", x)
		}
	}
	if odd.Recounted, odd.Redaction, odd.Leaves, odd.Kept = m.Recounted, nil, nil, nil; odd.Check() == nil {
		t.Error("counts differ, and nothing was left out")
	}
}

// TestLeavedElsewhere has a row that points to another entry of the trail refused.
func TestLeavedElsewhere(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	h.Fill()
	if _, err := h.Store.Leave(t.Context(), 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := h.DB.ExecContext(t.Context(), "UPDATE pack_leaved SET seq = seq - 1"); err != nil {
		t.Fatal(err)
	}
	o := h.October(filepath.Join(t.TempDir(), "pack.zip"))
	o.Redact = []string{"names"}
	if _, err := h.Store.Make(t.Context(), o); !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "is of something else") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(o.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was left: %v", err)
	}
}

// TestOpenSSL has the stamp of a pack checked by OpenSSL.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not there")
	}
	h := build(t, dbtest.SQLite(t))
	h.Fill()
	o := takeApart(t, madeOf(t, h, kinds["none"]), nil)
	dir := t.TempDir()
	for name, what := range map[string][]byte{"pack.note": o.content[form.NoteName], "pack.tsr": o.content[form.StampName], "tsa.pem": h.Roots,
		"other": []byte("other")} {
		if err := os.WriteFile(filepath.Join(dir, name), what, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(data string) error {
		c := exec.Command(program, "ts", "-verify", "-data", data, "-in", "pack.tsr", "-token_in", "-CAfile", "tsa.pem", "-no_check_time")
		c.Dir = dir
		raw, err := c.CombinedOutput()
		if err != nil {
			return errors.New(string(raw))
		}
		return nil
	}
	if err := check("pack.note"); err != nil {
		t.Errorf("OpenSSL says %v", err)
	}
	if err := check("other"); err == nil {
		t.Error("OpenSSL takes it for another file's")
	}
}
