package anchor_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
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
	later := func(p *anchor.Place) { p.Now = func() time.Time { return time.Now().AddDate(2, 0, 0) } }
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
		"lifted":            {nil, func(b *bucket) { b.all[0].mode = "" }, "", "no retention stands on it", ""},
		"loosened": {nil, func(b *bucket) {
			b.all[0].mode = map[string]string{"COMPLIANCE": "GOVERNANCE", "Locked": "Unlocked"}[b.all[0].mode]
		}, "", "its owner can lift", ""},
		"ended":  {func(_ *bucket, p *anchor.Place) { later(p) }, nil, "", "its retention ended on", ""},
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
				said := r.Anchors[0].Unsaid
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
		"a strange name":        {func(n, _ *version) { n.name = "a/b/0000-\x1b[31mREADME" }, "not a checkpoint's name"},
		"a name that is a path": {func(n, _ *version) { n.name = "a/b/" + strings.Replace(n.name[4:], ".partner", ".partner/../", 1) }, "not a checkpoint's name"},
		"another number":        {func(n, _ *version) { n.name = strings.Replace(n.name, ".9.", ".8.", 1) }, "not a checkpoint's name"},
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
			b.put(strings.Replace(strings.Replace(first.name, ".6.", fmt.Sprintf(".%d.", 10+n), 1), fmt.Sprint(int64(1<<63-1)-6), fmt.Sprint(int64(1<<63-1)-10-n), 1),
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

// A store that is none, or hostile, is a gap within bounds, and nothing of what it
// was shown or says comes into an error.
func TestHostileStores(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	echo := func(w io.Writer, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v", r.URL, r.Header.Get("X-Amz-Security-Token"), r.Header)
	}
	listing := func(r *http.Request) bool {
		return r.URL.Query().Has("versions") || r.URL.Query().Get("comp") == "list"
	}
	object := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".checkpoint") && !r.URL.Query().Has("retention")
	}
	for name, h := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"refuses":    func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(403); echo(w, r); return true },
		"knows none": func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(404); echo(w, r); return true },
		"is broken":  func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(500); echo(w, r); return true },
		"is busy": func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(503)
			return true
		},
		"says words": func(w http.ResponseWriter, r *http.Request) bool { echo(w, r); return true },
		"says an error of ours": func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("X-Ms-Error-Code", r.URL.RawQuery)
			w.WriteHeader(400)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", r.Header.Get("X-Amz-Security-Token"), r.Header.Get("Authorization"))
			return true
		},
		"sends elsewhere": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, other.URL+r.URL.Path+"?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
			return true
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
			return true
		},
		"cuts": func(w http.ResponseWriter, _ *http.Request) bool {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
			return true
		},
		"lists without end": func(w http.ResponseWriter, r *http.Request) bool {
			if listing(r) {
				fmt.Fprint(w, `<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>x</NextKeyMarker><NextVersionIdMarker>y</NextVersionIdMarker></ListVersionsResult>`)
			}
			return listing(r)
		},
		"lists without end, for Azure": func(w http.ResponseWriter, r *http.Request) bool {
			if listing(r) {
				fmt.Fprint(w, `<EnumerationResults><Blobs></Blobs><NextMarker>x</NextMarker></EnumerationResults>`)
			}
			return listing(r)
		},
		"a page without end": func(w http.ResponseWriter, r *http.Request) bool {
			if listing(r) {
				endless(w, "<ListVersionsResult>")
			}
			return listing(r)
		},
		"a page without end, for Azure": func(w http.ResponseWriter, r *http.Request) bool {
			if listing(r) {
				endless(w, "<EnumerationResults><Blobs>")
			}
			return listing(r)
		},
		"an object without end": func(w http.ResponseWriter, r *http.Request) bool {
			if object(r) {
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
				w.Header().Set("Etag", `"x"`)
				endless(w, "x")
			}
			return object(r)
		},
		"a header without end": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachKind(t, func(t *testing.T, k storeKind) {
				if strings.HasPrefix(name, "lists") || strings.HasPrefix(name, "a page") {
					if strings.Contains(name, "Azure") != (k.name == "azureBlob") {
						t.Skip("the other protocol's")
					}
				}
				a, b := k.keep(t, nil)
				s := aSending(t)
				if _, err := a.Send(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				b.be(h)
				s.Known = s.Size
				ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
				defer stop()
				begun := time.Now()
				_, err := a.Send(ctx, s)
				if err == nil || errors.Is(err, problem.Unmet) && !strings.Contains(name, "object") {
					t.Errorf("sending: %v", err)
				}
				silent(t, err, k.secret, password)
				err = a.Held(ctx, []note.Verifier{s.By}, nil, func(m trail.Mark) error {
					if m.Bad == "" {
						t.Errorf("it holds %+v", m)
					}
					return nil
				})
				if err == nil || !errors.Is(err, problem.BadInput) {
					t.Errorf("reading: %v", err)
				}
				silent(t, err, k.secret, password)
				if d := time.Since(begun); d > 20*time.Second {
					t.Errorf("it took %s", d)
				}
			})
		})
	}
	t.Cleanup(func() {
		if n := elsewhere.Load(); n != 0 {
			t.Errorf("%d requests went elsewhere", n)
		}
	})
}

// endless writes until nobody reads, or a gigabyte.
func endless(w http.ResponseWriter, begin string) {
	_, _ = io.WriteString(w, begin)
	for range 1 << 10 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return
		}
	}
}

// The ways to say who one is, and a certificate of somebody else.
func TestObjectsCredentials(t *testing.T) {
	t.Parallel()
	b := &bucket{t: t, page: 10}
	plainly := httptest.NewServer(http.HandlerFunc(b.azure))
	t.Cleanup(plainly.Close)
	closed := httptest.NewUnstartedServer(http.HandlerFunc(b.azure))
	closed.Config.ErrorLog = log.New(io.Discard, "", 0)
	closed.StartTLS()
	t.Cleanup(closed.Close)
	pool := closed.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	const key = "c2VjcmV0LWtleS1vZi1taW5l"
	host := strings.TrimPrefix(plainly.URL, "http://")
	for name, c := range map[string]struct {
		secret string
		token  func() (azcore.TokenCredential, error)
		tls    bool
		bare   bool // no roots
		words  string
	}{
		"a signature":                {secret: sasText},
		"a signature with its mark":  {secret: "?" + sasText},
		"a key":                      {secret: "DefaultEndpointsProtocol=http;AccountName=devaccount;AccountKey=" + key + ";BlobEndpoint=http://" + host + "/devaccount;"},
		"a signature in a string":    {secret: "BlobEndpoint=http://" + host + "/devaccount;SharedAccessSignature=" + sasText},
		"another account's":          {secret: "AccountName=another;AccountKey=" + key, words: "cannot be used"},
		"of another place":           {secret: "AccountName=devaccount;AccountKey=" + key + ";BlobEndpoint=http://evil.example/devaccount", words: "cannot be used"},
		"a key that is none":         {secret: "AccountName=devaccount;AccountKey=secret-key-of-mine!", words: "cannot be used"},
		"said twice":                 {secret: "AccountName=devaccount;AccountKey=" + key + ";AccountKey=" + key, words: "cannot be used"},
		"something else":             {secret: key, words: "cannot be used"},
		"a token":                    {token: func() (azcore.TokenCredential, error) { return tokenOf("token-of-mine"), nil }, tls: true},
		"no token":                   {token: func() (azcore.TokenCredential, error) { return nil, errors.New(key) }, words: "cannot be used"},
		"a token that cannot be had": {token: func() (azcore.TokenCredential, error) { return tokenOf(""), nil }, tls: true, words: "no token for it could be had"},
		"a token, without TLS":       {token: func() (azcore.TokenCredential, error) { return tokenOf("token-of-mine"), nil }, words: "azureBlob"},
		"a token of another":         {token: func() (azcore.TokenCredential, error) { return tokenOf("another"), nil }, tls: true, words: "(403)"},
		"another's certificate":      {secret: sasText, tls: true, bare: true, words: "certificate"},
	} {
		p := anchor.Place{URL: plainly.URL + "/devaccount/checkpoints", Mode: anchor.AzureLocked, Retain: 48 * time.Hour, Roots: pool}
		if c.tls {
			p.URL = closed.URL + "/devaccount/checkpoints"
		}
		if c.bare {
			p.Roots = nil
		}
		if c.secret != "" {
			p.Secret = func() (secret.Text, error) { return secret.New(c.secret), nil }
		}
		a, err := anchor.NewAzureBlob(p, c.token)
		if err != nil {
			t.Fatal(err)
		}
		b.all = nil
		_, err = a.Send(t.Context(), aSending(t))
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v; want %q", name, err, c.words)
		}
		silent(t, err, "c2Vj", "secret-key", "token-of-mine")
	}
}

type tokenOf string

func (s tokenOf) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if s == "" {
		return azcore.AccessToken{}, errors.New("c2Vj")
	}
	return azcore.AccessToken{Token: string(s), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

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
	for _, u := range []string{"", "x", "http://acc.blob.core.windows.net/c", "https://acc.blob.core.windows.net", "https://acc.blob.core.windows.net/", "https://u:p@acc.blob.core.windows.net/c",
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
