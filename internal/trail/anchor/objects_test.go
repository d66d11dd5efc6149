package anchor_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

func eachKind(t *testing.T, f func(t *testing.T, k storeKind)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			f(t, k)
		})
	}
}

// A checkpoint is an object that is never overwritten, kept for as long as asked,
// with the newest first.
func TestObjects(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, k storeKind) {
		h := build(t, dbtest.SQLite(t))
		a, b := k.keep(t, nil)
		for range 9 {
			if st := h.send(a)[0]; !st.Failing.IsZero() {
				t.Fatalf("%+v", st)
			}
			h.record(30)
		}
		h.send(a)
		if puts := b.puts; puts != 10 {
			t.Errorf("%d puts", puts)
		}
		h.send(a) // nothing is new: the object that is there is enough
		if b.puts != 10 || len(b.all) != 10 {
			t.Errorf("%d puts, %d objects", b.puts, len(b.all))
		}
		o, err := h.tr.Origin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		newest := b.versions("")[0]
		if c, err := trail.OpenNote(newest.body, h.signer.Verifier()); err != nil || c.Size != 276 ||
			!strings.HasSuffix(newest.name, ".276."+strings.ReplaceAll(o, "/", "-")+".checkpoint") || !strings.HasPrefix(newest.name, "a/b/92233720368547") {
			t.Errorf("%+v %v", newest, err)
		}
		if d := time.Until(newest.until); !strings.EqualFold(newest.mode, k.locked) || d < 364*24*time.Hour || d > 366*24*time.Hour {
			t.Errorf("%+v", newest)
		}
		if b.remove(newest.name, newest.id) {
			t.Error("it could be deleted")
		}
		r := h.verify(a)
		if c := r.Anchors[0]; r.Err() != nil || c.Marks != 10 || c.Size != 276 || c.Unsaid != "" {
			t.Errorf("%+v", r)
		}
		h.rewrite(200, 300)
		if r := h.verify(a); !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), "does not fit") {
			t.Errorf("%+v", r)
		}
	})
}

// What is not kept as it should be is told by its name, at the latest by verify.
func TestObjectsRetention(t *testing.T) {
	t.Parallel()
	later := func(b *bucket, p *anchor.Place) {
		p.Now = func() time.Time {
			if b.late.Load() {
				return time.Now().AddDate(2, 0, 0)
			}
			return time.Now()
		}
	}
	for name, c := range map[string]struct {
		before func(*bucket, *anchor.Place)
		after  func(*bucket)
		gap    string // of sending
		words  string // of verify, beside that it fits
		misfit string
	}{
		"as it should be":      {nil, nil, "", "", ""},
		"told only when asked": {func(b *bucket, _ *anchor.Place) { b.aside = true }, nil, "", "", ""},
		"may not look":         {func(b *bucket, _ *anchor.Place) { b.shy = true }, nil, "", "", ""},
		"may not look, and keeps nothing": {func(b *bucket, _ *anchor.Place) { b.shy, b.forgets = true, true }, nil,
			"no retention stands on it", "no retention stands on it", ""},
		"keeps nothing":     {func(b *bucket, _ *anchor.Place) { b.unlocked = true }, nil, "can be deleted", "no checkpoint yet", ""},
		"keeps nothing now": {nil, func(b *bucket) { b.unlocked = true }, "", "can be deleted", ""},
		"forgets":           {func(b *bucket, _ *anchor.Place) { b.forgets = true }, nil, "no retention stands on it", "no retention stands on it", ""},
		"hurries":           {func(b *bucket, _ *anchor.Place) { b.hurries = true }, nil, "and keeps it until", "", ""},
		"lifted":            {nil, func(b *bucket) { b.all[0].mode = "" }, "", "no retention stands on it", ""},
		"loosened": {nil, func(b *bucket) {
			b.all[0].mode = map[string]string{"COMPLIANCE": "GOVERNANCE", "Locked": "Unlocked"}[b.all[0].mode]
		}, "", "its owner can lift", ""},
		"ended":  {later, func(b *bucket) { b.late.Store(true) }, "", "its retention ended on", ""},
		"hidden": {nil, func(b *bucket) { b.mu.Unlock(); b.remove(b.all[1].name, ""); b.mu.Lock() }, "", "was deleted, and this version of it stands", ""},
		"hidden and put anew": {nil, func(b *bucket) {
			n := b.all[1].name
			b.mu.Unlock()
			b.remove(n, "")
			b.mu.Lock()
			b.put(n, []byte("nothing\n\n"), "", time.Time{})
		}, "", "", "no checkpoint"},
		"the newest cut": {nil, func(b *bucket) { b.all = b.all[:1] }, "", "", "was cut"},
		"emptied":        {nil, func(b *bucket) { b.all = nil }, "", "", "was cut"},
		"a page of one":  {func(b *bucket, _ *anchor.Place) { b.page = 1 }, nil, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachKind(t, func(t *testing.T, k storeKind) {
				h := build(t, dbtest.SQLite(t))
				a, b := k.keep(t, c.before)
				for range 2 {
					st := h.send(a)[0]
					if (c.gap != "") != !st.Failing.IsZero() || !strings.Contains(st.Reason, c.gap) || st.Misfit {
						t.Fatalf("%+v; want %q", st, c.gap)
					}
					h.record(3)
				}
				if c.after != nil {
					b.mu.Lock()
					c.after(b)
					b.mu.Unlock()
				}
				r := h.verify(a)
				if c.misfit != "" {
					if !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), c.misfit) {
						t.Errorf("%+v; want %q", r, c.misfit)
					}
					if st := h.send(a)[0]; !st.Misfit {
						t.Errorf("sending does not tell: %+v", st)
					}
					return
				}
				said, _, _ := strings.Cut(r.Anchors[0].Unsaid, "it was not reached since")
				if r.Err() != nil || !strings.Contains(said, c.words) || c.words == "" && said != "" {
					t.Errorf("%+v; want %q", r, c.words)
				}
				if c.words == "its retention ended on" && strings.Count(said, c.words) != 1 {
					t.Errorf("old objects may end their time: %s", said)
				}
			})
		})
	}
}

// An object that is not the checkpoint that its name says does not fit.
func TestObjectsEdited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit  func(newest, first *version)
		words string
	}{
		"a size":        {func(n, _ *version) { n.body = []byte(strings.Replace(string(n.body), "\n9\n", "\n8\n", 1)) }, "changed"},
		"an older note": {func(n, f *version) { n.body = f.body }, "another checkpoint"},
		"half":          {func(n, _ *version) { n.body = n.body[:len(n.body)/2] }, "not signed"},
		"nothing":       {func(n, _ *version) { n.body = nil }, "no checkpoint"},
		"large":         {func(n, _ *version) { n.body = make([]byte, 1<<20) }, "no checkpoint"},
		"unsigned":      {func(n, _ *version) { n.body = n.body[:strings.Index(string(n.body), "\n\n")+2] }, "not signed"},
		"another trail's": {func(n, _ *version) {
			n.body = []byte(strings.ReplaceAll(string(n.body), "partnerguard/trail/", "partnerguard/trail/0"))
		}, "another"},
		"a strange name": {func(n, _ *version) { n.name = "a/b/0000-\x1b[31mREADME" }, "not a checkpoint's name"},
		"a name that is a path": {func(n, _ *version) { n.name = "a/b/" + strings.Replace(n.name[4:], ".partner", ".partner/../", 1) },
			"not a checkpoint's name"},
		"another number": {func(n, _ *version) { n.name = strings.Replace(n.name, ".9.", ".8.", 1) }, "not a checkpoint's name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachKind(t, func(t *testing.T, k storeKind) {
				h := build(t, dbtest.SQLite(t))
				a, b := k.keep(t, nil)
				h.send(a)
				h.record(3)
				h.send(a)
				b.mu.Lock()
				c.edit(b.all[1], b.all[0])
				b.mu.Unlock()
				if strings.Contains(b.all[1].name, "\x1b") && k.name == "azureBlob" {
					b.all[1].name = "a/b/0000-README" // no XML has the other
				}
				if r := h.verify(a); !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), c.words) {
					t.Errorf("%+v; want %q", r, c.words)
				}
				h.exec("DELETE FROM trail_anchors") // also where nobody remembers what was sent
				h.record(1)
				if st := h.send(a)[0]; !st.Misfit && !strings.Contains(name, "strange") {
					t.Errorf("sending does not tell: %+v", st)
				}
			})
		})
	}
}

// Many objects, also another trail's among the oldest, within bounds.
func TestObjectsMany(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, k storeKind) {
		h := build(t, dbtest.SQLite(t))
		a, b := k.keep(t, func(b *bucket, _ *anchor.Place) { b.page = 100 })
		h.send(a)
		first := b.all[0]
		h.record(400)
		seen := &capture{}
		h.send(a, seen)
		for n := range int64(300) { // as they would be after some days
			root, err := seen.s.Root(10 + n)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", seen.s.Origin, 10+n, base64.StdEncoding.EncodeToString(root[:]))}, h.signer)
			if err != nil {
				t.Fatal(err)
			}
			b.put(strings.Replace(strings.Replace(first.name, ".6.", fmt.Sprintf(".%d.", 10+n), 1), fmt.Sprint(int64(1<<63-1)-6),
				fmt.Sprint(int64(1<<63-1)-10-n), 1),
				raw, first.mode, first.until)
		}
		r := h.verify(a)
		if c := r.Anchors[0]; r.Err() != nil || c.Marks != 256 || !strings.Contains(c.Unsaid, "of 302 objects the newest 256 were read") {
			t.Errorf("%+v", r)
		}
		other := build(t, dbtest.SQLite(t))
		x, y := k.keep(t, nil)
		other.send(x)
		b.put(y.all[0].name, y.all[0].body, y.all[0].mode, y.all[0].until)
		if r := h.verify(a); !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), "another trail") {
			t.Errorf("%+v", r)
		}
	})
}

// capture is an anchor that remembers what it was sent.
type capture struct {
	kept
	s *trail.Sending
}

func (c *capture) Send(_ context.Context, s *trail.Sending) ([]byte, error) { c.s = s; return nil, nil }

// Where the container's own policy keeps the blobs, that is said.
func TestContainerPolicy(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	k := kinds()[0]
	a, b := k.keep(t, func(b *bucket, p *anchor.Place) { p.Mode, b.unlocked, b.policy = anchor.AzureContainer, true, true })
	if st := h.send(a)[0]; !st.Failing.IsZero() || b.all[0].mode != "" {
		t.Errorf("%+v", st)
	}
	if r := h.verify(a); r.Err() != nil || r.Anchors[0].Marks != 1 || !strings.Contains(r.Anchors[0].Unsaid, "neither its length nor its lock") {
		t.Errorf("%+v", r)
	}
	b.policy = false
	if st := h.send(a)[0]; !strings.Contains(st.Reason, "no immutability policy") {
		t.Errorf("%+v", st)
	}
}

func TestObjectsSettings(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "x", "http://acc.blob.core.windows.net/c", "https://acc.blob.core.windows.net", "https://acc.blob.core.windows.net/",
		"https://u:p@acc.blob.core.windows.net/c",
		"https://acc.blob.core.windows.net/c?sig=secret", "https://acc.blob.core.windows.net/c#x", "https://acc.blob.core.windows.net/c//d", "ftp://h/c"} {
		_, err := anchor.NewAzureBlob(anchor.Place{URL: u, Mode: anchor.AzureLocked}, nil)
		_, err3 := anchor.NewS3(anchor.Place{URL: u, Mode: anchor.S3Compliance}, "x", false, nil)
		if !errors.Is(err, problem.Usage) || !errors.Is(err3, problem.Usage) {
			t.Errorf("%q was taken: %v, %v", u, err, err3)
		}
		silent(t, err, "secret")
		silent(t, err3, "secret")
	}
	_, err := anchor.NewAzureBlob(anchor.Place{URL: "https://acc.blob.core.windows.net/c", Mode: "compliance"}, nil)
	_, err3 := anchor.NewS3(anchor.Place{URL: "https://h/b", Mode: "locked"}, "x", false, nil)
	_, region := anchor.NewS3(anchor.Place{URL: "https://h/b", Mode: anchor.S3Compliance}, "", false, nil)
	if slices.Contains([]bool{errors.Is(err, problem.Usage), errors.Is(err3, problem.Usage), errors.Is(region, problem.Usage)}, false) {
		t.Errorf("%v, %v, %v", err, err3, region)
	}
}

func FuzzObjectName(f *testing.F) {
	f.Add("9223372036854775801.6.partnerguard-trail-0123.checkpoint")
	f.Add("9223372036854775807.0..checkpoint")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := anchor.ParseObjectName(s)
		if ok && (anchor.ObjectName(c) != s || strings.ContainsAny(s, "/\\\x00 ") || c.Size < 0) {
			t.Errorf("%q is %+v", s, c)
		}
	})
}
