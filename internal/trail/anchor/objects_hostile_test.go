package anchor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

// A store that is none, or hostile, is a gap within bounds, and nothing of what it
// was shown or says comes into an error.
func TestHostileStores(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	for name, h := range hostileStores(other.URL) {
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
				if err == nil || errors.Is(err, problem.Conflict) && !strings.Contains(name, "object") {
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

// hostileStores answer where they are true, or leave it to the store.
func hostileStores(elsewhere string) map[string]func(w http.ResponseWriter, r *http.Request) bool {
	echo := func(w io.Writer, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v", r.URL, r.Header.Get("X-Amz-Security-Token"), r.Header)
	}
	listing := func(r *http.Request) bool {
		return r.URL.Query().Has("versions") || r.URL.Query().Get("comp") == "list"
	}
	object := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".checkpoint") && !r.URL.Query().Has("retention")
	}
	return map[string]func(w http.ResponseWriter, r *http.Request) bool{
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
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", r.Header.Get("X-Amz-Security-Token"), r.Header.Get("Authorization"))
			return true
		},
		"sends elsewhere": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, elsewhere+r.URL.Path+"?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
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
				fmt.Fprint(w, `<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>x</NextKeyMarker>`+
					`<NextVersionIdMarker>y</NextVersionIdMarker></ListVersionsResult>`)
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
	}
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
	const of = "DefaultEndpointsProtocol=http;AccountName=devaccount;AccountKey="
	host := strings.TrimPrefix(plainly.URL, "http://")
	for name, c := range map[string]struct {
		secret string
		token  func() (azcore.TokenCredential, error)
		tls    bool
		bare   bool // no roots
		words  string
	}{
		"a signature":               {secret: sasText},
		"a signature with its mark": {secret: "?" + sasText},
		"a key":                     {secret: of + key + ";BlobEndpoint=http://" + host + "/devaccount;"},
		"a signature in a string":   {secret: "BlobEndpoint=http://" + host + "/devaccount;SharedAccessSignature=" + sasText},
		"another account's":         {secret: "AccountName=another;AccountKey=" + key, words: "cannot be used"},
		"of another place":          {secret: of + key + ";BlobEndpoint=http://evil.example/devaccount", words: "cannot be used"},
		"a key that is none":        {secret: "AccountName=devaccount;AccountKey=secret-key-of-mine!", words: "cannot be used"},
		"said twice":                {secret: "AccountName=devaccount;AccountKey=" + key + ";AccountKey=" + key, words: "cannot be used"},
		"something else":            {secret: key, words: "cannot be used"},
		"a token":                   {token: func() (azcore.TokenCredential, error) { return tokenOf("token-of-mine"), nil }, tls: true},
		"no token":                  {token: func() (azcore.TokenCredential, error) { return nil, errors.New(key) }, words: "cannot be used"},
		"a token that cannot be had": {token: func() (azcore.TokenCredential, error) { return tokenOf(""), nil }, tls: true,
			words: "no token for it could be had"},
		"a token, without TLS":  {token: func() (azcore.TokenCredential, error) { return tokenOf("token-of-mine"), nil }, words: "azureBlob"},
		"a token of another":    {token: func() (azcore.TokenCredential, error) { return tokenOf("another"), nil }, tls: true, words: "(403)"},
		"another's certificate": {secret: sasText, tls: true, bare: true, words: "certificate"},
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
