package mfa_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/factor"
	"partnerguard/internal/mfa"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault/vaulttest"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	object = "aaaaaaaa-2222-3333-4444-555555555555"
	home   = "https://guard.contoso.example"
	inside = "192.0.2.7"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time        { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) Add(d time.Duration)   { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }
func (c *clock) Step() (out time.Time) { c.Add(30 * time.Second); return c.Now() }
func text(s string) secret.Text        { return secret.New(s) }
func account() mfa.Account             { return mfa.Account{Tenant: tenant, Object: object} }
func (r *rig) ok(err error)            { r.Helper(); r.must(err == nil, err) }
func (r *rig) must(fine bool, say ...any) {
	r.Helper()
	if !fine {
		r.Fatal(say...)
	}
}

// rig is a store with its clock and trail.
type rig struct {
	testing.TB
	*clock
	d     *db.DB
	s     *mfa.Store
	trail *audittest.Recorder
}

func newRig(t testing.TB, d *db.DB, change ...func(*mfa.Deps)) *rig {
	t.Helper()
	r := &rig{TB: t, clock: &clock{at: time.Date(2026, 11, 30, 9, 0, 3, 0, time.UTC)}, d: d, trail: &audittest.Recorder{}}
	deps := mfa.Deps{DB: d, Vault: vaulttest.Open(t, d), Record: r.trail, Public: home, Now: r.Now, Last: r.last}
	for _, c := range change {
		c(&deps)
	}
	s, err := mfa.New(deps)
	r.s = s
	r.ok(err)
	return r
}

// last is the newest word of the trail of each object.
func (r *rig) last(context.Context) (func(string) (audit.Action, error), error) {
	all := map[string]audit.Action{}
	for _, e := range r.trail.Events() {
		all[e.Object] = e.Action
	}
	return func(o string) (audit.Action, error) { return all[o], nil }, nil
}

func (r *rig) invite(a mfa.Account, login string) (mfa.Invitation, secret.Text) {
	r.Helper()
	i, link, err := r.s.Invite(r.Context(), a, "Ada Lovelace", login, "local:help")
	r.ok(err)
	return i, text(strings.TrimPrefix(link.Reveal(), home+"/mfa/enrol/"))
}

// person invites somebody and sets an authenticator app up for them.
func (r *rig) person(a mfa.Account, login string) (mfa.Person, factor.Seed, []secret.Text) {
	r.Helper()
	_, link := r.invite(a, login)
	x, _, err := r.s.BeginInvited(r.Context(), link)
	r.ok(err)
	p, err := r.s.Of(r.Context(), a)
	r.ok(err)
	seed, codes := r.app(&x, &p)
	r.Step()
	return p, seed, codes
}

// app sets an authenticator app up in a session.
func (r *rig) app(x *mfa.Session, p *mfa.Person) (factor.Seed, []secret.Text) {
	r.Helper()
	got, err := r.s.AskPasscodes(r.Context(), x, p)
	r.ok(err)
	e, err := factor.ReadURI(got.URI)
	r.ok(err)
	_, codes, err := r.s.AddPasscodes(r.Context(), x, "phone", r.code(e.Seed))
	r.ok(err)
	return e.Seed, codes
}

func (r *rig) code(s factor.Seed) secret.Text {
	r.Helper()
	c, err := s.Code(s.Step(r.Now()))
	r.ok(err)
	return c
}

func (r *rig) show(p mfa.Person, k mfa.Kind, c secret.Text, from string) (mfa.Shown, error) {
	return r.s.ShowCode(r.Context(), mfa.Try{Person: p, Source: from, What: "test"}, k, c)
}

// software is a security key in software: it makes and uses a credential as a browser
// would hand it over.
type software struct {
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	counter uint32
	uv      bool
	origin  string
}

func newSoftware(t testing.TB) *software {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &software{key: k, id: id, uv: true, origin: home}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

func (k *software) data(rp string, create bool) []byte {
	sum := sha256.Sum256([]byte(rp))
	flags := byte(1)
	if k.uv {
		flags |= 4
	}
	if create {
		flags |= 64
	}
	out := append(sum[:], flags)
	out = binary.BigEndian.AppendUint32(out, k.counter)
	if !create {
		return out
	}
	out = append(out, make([]byte, 16)...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(k.id)))
	out = append(out, k.id...)
	x, y := make([]byte, 32), make([]byte, 32)
	k.key.X.FillBytes(x)
	k.key.Y.FillBytes(y)
	pub, _ := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: x, -3: y})
	return append(out, pub...)
}

func (k *software) client(kind, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	return b
}

func (k *software) create(t testing.TB, asked []byte) []byte {
	t.Helper()
	var o options
	if err := json.Unmarshal(asked, &o); err != nil {
		t.Fatal(err)
	}
	k.handle, _ = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	att, _ := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": k.data(o.PublicKey.RP.ID, true)})
	b, _ := json.Marshal(map[string]any{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "response": map[string]any{
		"clientDataJSON": b64(k.client("webauthn.create", o.PublicKey.Challenge)), "attestationObject": b64(att), "transports": []string{"usb"}}})
	return b
}

func (k *software) get(t testing.TB, asked []byte) []byte {
	t.Helper()
	var o options
	if err := json.Unmarshal(asked, &o); err != nil {
		t.Fatal(err)
	}
	k.counter++
	auth, client := k.data(o.PublicKey.RPID, false), k.client("webauthn.get", o.PublicKey.Challenge)
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, auth...), sum[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, k.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(map[string]any{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "response": map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig), "userHandle": b64(k.handle)}})
	return b
}
