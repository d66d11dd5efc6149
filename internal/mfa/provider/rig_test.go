package provider_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/msapi"
	"partnerguard/internal/vault"
	"partnerguard/internal/web"
)

const (
	tenant   = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	elsewhat = "11111111-0f6a-4f2f-9a41-3f1d6f0c9e21"
	person   = "5a000000-0000-4000-8000-0000000000b1"
	appID    = "5a000000-0000-4000-8000-0000000000ea"
	client   = "desk-client"
	redirect = "https://login.microsoftonline.com/common/federation/externalauthprovider"
	public   = "https://guard.example"
)

var begin = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

// entraKey is Entra ID's in these tests, strange somebody else's.
var entraKey, strange = sync.OnceValue(rsaKey), sync.OnceValue(rsaKey)

func rsaKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

func certOf(k *rsa.PrivateKey) *x509.Certificate {
	t := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &k.PublicKey, k)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

// ring is the way to Entra ID's keys.
type ring struct {
	mu    sync.Mutex
	set   jose.JSONWebKeySet
	fails error
	asked int
}

func (r *ring) Keys(context.Context, msapi.Cloud, string, string) (jose.JSONWebKeySet, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.set, r.fails
}

func (r *ring) be(set jose.JSONWebKeySet, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set, r.fails = set, err
}

// asker stands for the pages: it keeps challenges.
type asker struct {
	mu    sync.Mutex
	got   []mfa.Challenge
	kept  [][]byte
	fails error
}

func (a *asker) Begin(_ context.Context, w http.ResponseWriter, r *http.Request, c mfa.Challenge, payload []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails != nil {
		return a.fails
	}
	c.ID = "c-1"
	a.got, a.kept = append(a.got, c), append(a.kept, bytes.Clone(payload))
	http.Redirect(w, r, "/mfa/challenge/c-1", http.StatusSeeOther)
	return nil
}

// rig is a provider behind the kernel.
type rig struct {
	testing.TB
	db     *db.DB
	vault  *vault.Vault
	p      *provider.Provider
	k      *web.Kernel
	ring   *ring
	asker  *asker
	trail  *audittest.Recorder
	log    bytes.Buffer
	now    time.Time
	config provider.Config
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	r := &rig{TB: t, db: d, ring: &ring{}, asker: &asker{}, trail: &audittest.Recorder{}, now: begin,
		config: provider.Config{KeyLife: 4320 * time.Hour, Leeway: time.Minute}}
	r.ring.set = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &entraKey().PublicKey, KeyID: "entra", Use: "sig", Certificates: []*x509.Certificate{certOf(entraKey())}},
		{Key: &strange().PublicKey, KeyID: "bare", Use: "sig"},
		{Key: &strange().PublicKey, KeyID: "lent", Use: "sig", Certificates: []*x509.Certificate{certOf(entraKey())}},
	}}
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Now: func() time.Time { return r.now }, Books: provider.Books()})
	r.ok(err)
	r.vault = v
	r.p = r.open()
	r.ok(r.p.Prepare(t.Context(), "local:owner"))
	_, err = r.p.Serve(t.Context(), provider.Tenant{ID: tenant, Name: "Contoso", App: appID, Client: client}, "local:owner")
	r.ok(err)
	r.k = r.kernel(r.p)
	return r
}

// kernel is a server of a provider.
func (r *rig) kernel(p *provider.Provider) *web.Kernel {
	r.Helper()
	k := web.NewKernel(web.Deps{})
	r.ok(p.Mount(k))
	return k
}

func (r *rig) open() *provider.Provider {
	p, err := provider.New(provider.Deps{DB: r.db, Record: r.trail, Vault: r.vault, Entra: r.ring, Cloud: msapi.Commercial(), Public: public,
		Challenger: r.asker, Config: &r.config, Now: func() time.Time { return r.now }, Log: slog.New(slog.NewJSONHandler(&r.log, nil)), Last: r.last})
	r.ok(err)
	return p
}

// last is the newest word of the trail of each object.
func (r *rig) last(context.Context) (func(string) (audit.Action, error), error) {
	all := map[string]audit.Action{}
	for _, e := range r.trail.Events() {
		all[e.Object] = e.Action
	}
	return func(o string) (audit.Action, error) { return all[o], nil }, nil
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// sent is a request of Entra ID on its way; a recipe changes it.
type sent struct {
	head, body         map[string]any
	headText, bodyText func(string) string // of the JSON
	sign               func(input string) []byte
	whole              func(string) string
	form               url.Values
	raw                func(string) string // of the encoded form
	kind               string
}

const wants = `{"id_token":{"acr":{"essential":true,"values":["possessionorinherence"]},"amr":{"essential":true,` +
	`"values":["face","fido","fpt","hwk","iris","otp","pop","retina","sc","sms","swk","tel","vbm"]}}}`

func (r *rig) request() *sent {
	at := r.now.Unix()
	return &sent{
		head: map[string]any{"alg": "RS256", "kid": "entra", "typ": "JWT"},
		body: map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "aud": appID, "iat": at, "nbf": at, "exp": at - 1, "tid": tenant,
			"oid": person, "sub": "pairwise", "preferred_username": "ada@contoso.com", "name": "Ada Lovelace", "ver": "2.0"},
		sign: func(input string) []byte { return rs256(entraKey(), input) },
		form: url.Values{"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "client_id": {client},
			"redirect_uri": {redirect}, "nonce": {"nonce-" + rand.Text()}, "state": {"state<1>"}, "claims": {wants},
			"client-request-id": {"aaaaaaaa-0f6a-4f2f-9a41-3f1d6f0c9e21"}},
		kind: "application/x-www-form-urlencoded",
	}
}

func rs256(k *rsa.PrivateKey, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return sig
}

var b64 = base64.RawURLEncoding

func text(v any, change func(string) string) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if change != nil {
		return b64.EncodeToString([]byte(change(string(b))))
	}
	return b64.EncodeToString(b)
}

func (s *sent) hint() string {
	input := text(s.head, s.headText) + "." + text(s.body, s.bodyText)
	hint := input + "." + b64.EncodeToString(s.sign(input))
	if s.whole != nil {
		hint = s.whole(hint)
	}
	return hint
}

// send posts a request, as a browser on Entra ID's page does.
func (r *rig) send(s *sent) *httptest.ResponseRecorder {
	if !s.form.Has("id_token_hint") {
		s.form.Set("id_token_hint", s.hint())
	}
	body := s.form.Encode()
	if s.raw != nil {
		body = s.raw(body)
	}
	q := httptest.NewRequestWithContext(r.Context(), http.MethodPost, "/mfa/authorize", strings.NewReader(body))
	q.Host = "guard.example"
	q.Header.Set("Content-Type", s.kind)
	q.Header.Set("Accept", "text/html")
	q.Header.Set("Origin", "https://login.microsoftonline.com")
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	r.k.ServeHTTP(w, q)
	return w
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)
	formTarget  = regexp.MustCompile(`<form id="post" method="post" action="([^"]*)">`)
)

// posted is the form of a page that posts itself, and where it goes; nil where the page
// is another.
func posted(page string) (string, url.Values) {
	to := formTarget.FindStringSubmatch(page)
	if to == nil {
		return "", nil
	}
	out := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		out.Add(m[1], html.UnescapeString(m[2]))
	}
	return html.UnescapeString(to[1]), out
}

// answer has the asker's newest challenge answered.
func (r *rig) answer(o mfa.Outcome) (string, url.Values) {
	r.Helper()
	n := len(r.asker.got) - 1
	w := httptest.NewRecorder()
	q := httptest.NewRequestWithContext(r.Context(), http.MethodPost, "/mfa/challenge/c-1", nil)
	if err := r.p.Answer(w, q, r.asker.got[n], r.asker.kept[n], o); err != nil {
		r.Fatal(err)
	}
	return posted(w.Body.String())
}

// said is the newest line of the log about a refusal.
func (r *rig) said() map[string]any {
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	var m map[string]any
	_ = json.Unmarshal([]byte(lines[len(lines)-1]), &m)
	return m
}

var errNoWay = errors.New("no way there")
