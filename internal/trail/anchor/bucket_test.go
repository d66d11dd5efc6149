package anchor_test

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/secret"
	"partnerguard/internal/trail/anchor"
)

// bucket is an object store with retention as S3 and Azure Blob Storage document
// theirs: versions, markers of deletions, conditions, pages.
type bucket struct {
	t    *testing.T
	mu   sync.Mutex
	all  []*version
	n    int
	page int // at most so many a page
	// What stores of the world lack, or hostile ones do.
	unlocked bool // the bucket keeps nothing
	policy   bool // the container has a policy of its own
	shy      bool // does not let anybody look at the place
	aside    bool // tells retention only when asked for it
	hurries  bool // keeps for a day what it is to keep longer
	forgets  bool // takes retention and keeps none
	hostile  func(w http.ResponseWriter, r *http.Request) bool
	puts     int
	late     atomic.Bool // the years went by
}

type version struct {
	name, id, mode string
	body           []byte
	until, at      time.Time
	marker         bool
}

// versions are all of a name, or of all names, in the order of a listing.
func (b *bucket) versions(prefix string) []*version {
	var list []*version
	for _, v := range slices.Backward(b.all) {
		if strings.HasPrefix(v.name, prefix) {
			list = append(list, v)
		}
	}
	slices.SortStableFunc(list, func(x, y *version) int { return cmp.Compare(x.name, y.name) })
	return list
}

func (b *bucket) current(name string) *version {
	for _, v := range slices.Backward(b.all) {
		if v.name == name {
			if v.marker {
				return nil
			}
			return v
		}
	}
	return nil
}

// version is one of a name, or the current one.
func (b *bucket) version(name, id string) *version {
	if id == "" {
		return b.current(name)
	}
	for _, v := range b.all {
		if v.name == name && v.id == id {
			return v
		}
	}
	return nil
}

func (b *bucket) put(name string, body []byte, mode string, until time.Time) *version {
	b.n++
	v := &version{name: name, id: fmt.Sprintf("v%04d", b.n), body: body, mode: mode, until: until, at: time.Now()}
	if b.hurries && mode != "" {
		v.until = time.Now().Add(25 * time.Hour)
	}
	if b.forgets {
		v.mode, v.until = "", time.Time{}
	}
	b.all = append(b.all, v)
	return v
}

// remove is what a hand with every right can do: nothing to a locked version, a
// marker before it.
func (b *bucket) remove(name, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id == "" {
		b.n++
		b.all = append(b.all, &version{name: name, id: fmt.Sprintf("v%04d", b.n), at: time.Now(), marker: true})
		return true
	}
	for i, v := range b.all {
		if v.name == name && v.id == id {
			if v.until.After(time.Now()) && !v.marker {
				return false
			}
			b.all = slices.Delete(b.all, i, i+1)
			return true
		}
	}
	return false
}

const sasText = "sv=2025-01-05&sp=rcl&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D"

// azure is the store by the protocol of Azure Blob Storage.
func (b *bucket) azure(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := r.URL.Query()
	fail := func(status int, code string) {
		w.Header().Set("X-Ms-Error-Code", code)
		w.WriteHeader(status)
	}
	if q.Get("sig") == "" && !strings.HasPrefix(r.Header.Get("Authorization"), "SharedKey devaccount:") &&
		r.Header.Get("Authorization") != "Bearer token-of-mine" {
		fail(403, "AuthenticationFailed")
		return
	}
	name, in := strings.CutPrefix(r.URL.Path, "/devaccount/checkpoints/")
	switch {
	case r.URL.Path == "/devaccount/checkpoints" && q.Get("restype") == "container" && q.Get("comp") == "" && r.Method == http.MethodGet:
		if b.shy {
			fail(403, "AuthorizationPermissionMismatch")
			return
		}
		w.Header().Set("X-Ms-Immutable-Storage-With-Versioning-Enabled", strconv.FormatBool(!b.unlocked))
		w.Header().Set("X-Ms-Has-Immutability-Policy", strconv.FormatBool(b.policy))
	case r.URL.Path == "/devaccount/checkpoints" && q.Get("comp") == "list":
		b.azureList(w, r)
	case in && r.Method == http.MethodPut:
		b.puts++
		if r.Header.Get("If-None-Match") != "*" {
			b.t.Error("a put that may overwrite")
		}
		if b.current(name) != nil {
			fail(409, "BlobAlreadyExists")
			return
		}
		body, _ := io.ReadAll(r.Body)
		until, _ := time.Parse(http.TimeFormat, r.Header.Get("X-Ms-Immutability-Policy-Until-Date"))
		b.put(name, body, r.Header.Get("X-Ms-Immutability-Policy-Mode"), until)
		w.WriteHeader(201)
	case in && r.Method == http.MethodGet:
		v := b.version(name, q.Get("versionid"))
		if v == nil {
			fail(404, "BlobNotFound")
			return
		}
		if v.mode != "" {
			w.Header().Set("X-Ms-Immutability-Policy-Mode", v.mode)
			w.Header().Set("X-Ms-Immutability-Policy-Until-Date", v.until.UTC().Format(http.TimeFormat))
		}
		_, _ = w.Write(v.body)
	default:
		b.t.Errorf("asked for %s %s", r.Method, r.URL)
		fail(400, "InvalidUri")
	}
}

func (b *bucket) azureList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := b.versions(q.Get("prefix"))
	from, _ := strconv.Atoi(q.Get("marker"))
	most, _ := strconv.Atoi(q.Get("maxresults"))
	fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ContainerName="checkpoints"><Blobs>`)
	versions := strings.Contains(q.Get("include"), "versions")
	i, n := from, 0
	for ; i < len(list) && n < min(most, b.page); i++ {
		v := list[i]
		current := b.current(v.name) == v
		if v.marker || !versions && !current { // Azure has no markers: the versions lose their present one
			continue
		}
		n++
		fmt.Fprintf(w, `<Blob><Name>%s</Name>`, v.name)
		if versions {
			fmt.Fprintf(w, `<VersionId>%s</VersionId>`, v.id)
			if current {
				fmt.Fprint(w, `<IsCurrentVersion>true</IsCurrentVersion>`)
			}
		}
		fmt.Fprintf(w, `<Properties><Last-Modified>%s</Last-Modified><Content-Length>%d</Content-Length></Properties></Blob>`,
			v.at.UTC().Format(http.TimeFormat), len(v.body))
	}
	next := ""
	if i < len(list) {
		next = strconv.Itoa(i)
	}
	fmt.Fprintf(w, `</Blobs><NextMarker>%s</NextMarker></EnumerationResults>`, next)
}

// s3 is the store by the protocol of S3.
func (b *bucket) s3(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := r.URL.Query()
	fail := func(status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<Error><Code>%s</Code><Message>no</Message></Error>`, code)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") {
		fail(403, "AccessDenied")
		return
	}
	name, in := strings.CutPrefix(r.URL.Path, "/checkpoints/")
	in = in && name != ""
	switch {
	case !in && q.Has("object-lock"):
		if b.shy {
			fail(403, "AccessDenied")
			return
		}
		if b.unlocked {
			fail(404, "ObjectLockConfigurationNotFoundError")
			return
		}
		fmt.Fprint(w, `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`)
	case !in && q.Has("versions"):
		b.s3List(w, r)
	case in && r.Method == http.MethodPut:
		b.puts++
		body, _ := io.ReadAll(r.Body)
		sum := md5.Sum(body)
		if r.Header.Get("If-None-Match") != "*" {
			b.t.Error("a put that may overwrite")
		}
		if r.Header.Get("Content-Md5") != base64.StdEncoding.EncodeToString(sum[:]) {
			fail(400, "InvalidRequest") // wanted beside a lock
			return
		}
		if b.current(name) != nil {
			fail(412, "PreconditionFailed")
			return
		}
		until, err := time.Parse(time.RFC3339, r.Header.Get("X-Amz-Object-Lock-Retain-Until-Date"))
		if err != nil {
			fail(400, "InvalidArgument")
			return
		}
		w.Header().Set("X-Amz-Version-Id", b.put(name, body, r.Header.Get("X-Amz-Object-Lock-Mode"), until).id)
		w.Header().Set("Etag", `"x"`)
	case in && r.Method == http.MethodGet:
		v := b.version(name, q.Get("versionId"))
		if v == nil {
			fail(404, "NoSuchKey")
			return
		}
		if q.Has("retention") {
			if v.mode == "" {
				fail(404, "NoSuchObjectLockConfiguration")
				return
			}
			fmt.Fprintf(w, `<Retention><Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate></Retention>`, v.mode, v.until.UTC().Format(time.RFC3339))
			return
		}
		if v.mode != "" && !b.aside {
			w.Header().Set("X-Amz-Object-Lock-Mode", v.mode)
			w.Header().Set("X-Amz-Object-Lock-Retain-Until-Date", v.until.UTC().Format(time.RFC3339))
		}
		w.Header().Set("Last-Modified", v.at.UTC().Format(http.TimeFormat))
		w.Header().Set("Etag", `"x"`)
		_, _ = w.Write(v.body)
	default:
		b.t.Errorf("asked for %s %s", r.Method, r.URL)
		fail(400, "InvalidRequest")
	}
}

func (b *bucket) s3List(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := b.versions(q.Get("prefix"))
	from := 0
	if k := q.Get("key-marker"); k != "" {
		from = 1 + slices.IndexFunc(list, func(v *version) bool { return v.name == k && v.id == q.Get("version-id-marker") })
	}
	most, _ := strconv.Atoi(q.Get("max-keys"))
	to := min(len(list), from+min(most, b.page))
	fmt.Fprintf(w, `<ListVersionsResult><Name>checkpoints</Name><IsTruncated>%t</IsTruncated>`, to < len(list))
	if to < len(list) {
		fmt.Fprintf(w, `<NextKeyMarker>%s</NextKeyMarker><NextVersionIdMarker>%s</NextVersionIdMarker>`, list[to-1].name, list[to-1].id)
	}
	seen := map[string]bool{}
	for i, v := range list[:to] {
		kind := "Version"
		if v.marker {
			kind = "DeleteMarker"
		}
		latest := !seen[v.name]
		seen[v.name] = true
		if i < from {
			continue
		}
		var key strings.Builder
		_ = xml.EscapeText(&key, []byte(v.name))
		fmt.Fprintf(w, `<%s><Key>%s</Key><VersionId>%s</VersionId><IsLatest>%t</IsLatest><LastModified>%s</LastModified><Size>%d</Size></%s>`,
			kind, key.String(), v.id, latest, v.at.UTC().Format(time.RFC3339), len(v.body), kind)
	}
	fmt.Fprint(w, `</ListVersionsResult>`)
}

// storeKind is one of the two protocols.
type storeKind struct {
	name    string
	serve   func(*bucket) http.HandlerFunc
	locked  string // the strong mode's word on the wire
	open    func(t *testing.T, p anchor.Place) *anchor.Objects
	address string
	secret  string
}

func kinds() []storeKind {
	return []storeKind{
		{"azureBlob", func(b *bucket) http.HandlerFunc { return b.azure }, "locked", func(t *testing.T, p anchor.Place) *anchor.Objects {
			p.Mode = cmp.Or(p.Mode, anchor.AzureLocked)
			if p.Secret == nil {
				p.Secret = func() (secret.Text, error) { return secret.New(sasText), nil }
			}
			a, err := anchor.NewAzureBlob(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}, "/devaccount/checkpoints/a/b", "c2VjcmV0LXNpZ25hdHVyZQ"},
		{"s3", func(b *bucket) http.HandlerFunc { return b.s3 }, "COMPLIANCE", func(t *testing.T, p anchor.Place) *anchor.Objects {
			p.Mode = cmp.Or(p.Mode, anchor.S3Compliance)
			a, err := anchor.NewS3(p, "eu-central-1", true, func() (anchor.S3Key, error) {
				return anchor.S3Key{ID: "AKIDEXAMPLE", Secret: secret.New(password), Session: secret.New("session-of-mine")}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}, "/checkpoints/a/b", "session-of-mine"},
	}
}

// keep starts a store and gives the anchor that uses it.
func (k storeKind) keep(t *testing.T, change func(*bucket, *anchor.Place)) (*anchor.Objects, *bucket) {
	t.Helper()
	b := &bucket{t: t, page: 3}
	handler := k.serve(b)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		h := b.hostile
		b.mu.Unlock()
		if h == nil || !h(w, r) {
			handler(w, r)
		}
	}))
	t.Cleanup(s.Close)
	p := anchor.Place{URL: s.URL + k.address, Retain: 365 * 24 * time.Hour}
	if change != nil {
		change(b, &p)
	}
	return k.open(t, p), b
}

func (b *bucket) be(h func(w http.ResponseWriter, r *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hostile = h
}
