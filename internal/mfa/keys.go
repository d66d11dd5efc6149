package mfa

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"partnerguard/internal/problem"
)

// maxResponse bounds what a browser sends of a key, in bytes: attestations bring
// certificates.
const maxResponse = 64 << 10

// MaxKeys is how many keys a person has at most.
const MaxKeys = 20

// party is the relying party of WebAuthn at an address; nil where its host can be none.
func party(u *url.URL, c *Config) *webauthn.WebAuthn {
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || u.Scheme != "https" && u.Hostname() != "localhost" {
		return nil
	}
	want := protocol.PreferNoAttestation
	if c.Keys == KeysListed {
		want = protocol.PreferDirectAttestation
	}
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: c.Issuer, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference:  want,
		AuthenticatorSelection: protocol.AuthenticatorSelection{UserVerification: protocol.VerificationRequired},
		Timeouts: webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Timeout: 4 * time.Minute},
			Registration: webauthn.TimeoutConfig{Timeout: 4 * time.Minute}}})
	if err != nil {
		return nil
	}
	return w
}

func readRoots(path string) (*x509.CertPool, error) {
	text, err := problem.ReadFile("the attestation roots", path, 1<<20)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, problem.New(problem.BadInput, "%s holds no certificate", path).WithHint("mfaKeyRoots wants PEM")
	}
	return pool, nil
}

// holder shows a person to the WebAuthn library.
type holder struct {
	p    *Person
	keys []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return handleOf(h.p) }
func (h holder) WebAuthnName() string                       { return h.p.Called() }
func (h holder) WebAuthnDisplayName() string                { return h.p.Called() }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// handleOf is what keys know a person by: random, and nothing of the account (WebAuthn
// section 14.6.1).
func handleOf(p *Person) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(p.Handle)
	return b
}

func credentials(list []Factor) (out []webauthn.Credential) {
	for _, f := range counted(list, Key) {
		var c webauthn.Credential
		if json.Unmarshal(f.credential, &c) == nil {
			out = append(out, c)
		}
	}
	return out
}

func errNoKeys() error {
	return problem.New(problem.Unavailable, "security keys cannot be used at this address").
		WithHint("they want https, or localhost, and a name: set publicURL; choose another way meanwhile")
}

// Ceremony is what a page asks of a key, and what must be kept to judge its answer.
type Ceremony struct {
	Options []byte          // JSON, for the page
	Kept    json.RawMessage // for the row of the challenge or session
}

func ceremony(options any, kept *webauthn.SessionData, err error) (Ceremony, error) {
	if err != nil {
		return Ceremony{}, problem.Wrap(err, problem.Internal, "a security key could not be asked")
	}
	o, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, problem.Wrap(err, problem.Internal, "a security key could not be asked")
	}
	return Ceremony{o, json.RawMessage(text(kept))}, nil
}

// AskKey asks for one of a person's keys; with a nil person for any key that knows whose
// it is.
func (s *Store) AskKey(ctx context.Context, p *Person) (Ceremony, error) {
	if s.keys == nil {
		return Ceremony{}, errNoKeys()
	}
	verified := webauthn.WithUserVerification(protocol.VerificationRequired)
	if p == nil {
		o, kept, err := s.keys.BeginDiscoverableLogin(verified)
		return ceremony(o, kept, err)
	}
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return Ceremony{}, err
	}
	creds := credentials(list)
	if len(creds) == 0 {
		return Ceremony{}, problem.New(problem.NotFound, "no security key is set up for this account").WithHint("choose another way")
	}
	o, kept, err := s.keys.BeginLogin(holder{p, creds}, verified)
	return ceremony(o, kept, err)
}

// keyOf reads what a browser sent of a key, and finds whose it is.
func (s *Store) keyOf(ctx context.Context, response []byte) (*protocol.ParsedCredentialAssertionData, Person, Factor, error) {
	if s.keys == nil {
		return nil, Person{}, Factor{}, errNoKeys()
	}
	if len(response) == 0 || len(response) > maxResponse {
		return nil, Person{}, Factor{}, errWrong(Key)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, Person{}, Factor{}, errWrong(Key)
	}
	r, err := s.one(ctx, factors, "", base64.RawURLEncoding.EncodeToString(parsed.RawID))
	if err != nil {
		if e := failed(err); errors.Is(e, problem.Unavailable) {
			return nil, Person{}, Factor{}, e
		}
		return nil, Person{}, Factor{}, errWrong(Key)
	}
	p, err := s.Person(ctx, r.person)
	if err != nil {
		return nil, p, Factor{}, err
	}
	list, err := s.Factors(ctx, p.ID)
	i := slices.IndexFunc(list, func(f Factor) bool { return f.ID == r.id && f.Kind == Key && f.Refused == "" })
	if err == nil && i < 0 {
		err = errWrong(Key)
	}
	if err != nil {
		return nil, p, Factor{}, err
	}
	return parsed, p, list[i], nil
}

// Whose says whose key answered, before it is judged: for who did not say who they are.
func (s *Store) Whose(ctx context.Context, response []byte) (Person, error) {
	_, p, _, err := s.keyOf(ctx, response)
	return p, err
}

// ShowKey judges what a key answered to a ceremony: kept is [Ceremony.Kept]. Kinds as of
// [Store.ShowCode].
func (s *Store) ShowKey(ctx context.Context, t Try, kept json.RawMessage, response []byte) (Shown, error) {
	parsed, p, f, err := s.keyOf(ctx, response)
	if err != nil && !errors.Is(err, problem.Forbidden) {
		return Shown{}, err
	}
	g, gerr := s.pass(ctx, &t)
	if gerr != nil {
		return Shown{}, gerr
	}
	why := "it is no key that is known here"
	var out Shown
	if err == nil {
		why, err = "it is another person's", errWrong(Key)
		if p.ID == t.Person.ID {
			out, why, err = s.judgeKey(ctx, g, &p, f, parsed, kept)
		}
	}
	if why != "" {
		if err := g.wrong(ctx, Key, why); err != nil {
			return out, err
		}
		return out, errWrong(Key)
	}
	return out, failed(err)
}

// judgeKey verifies an answer; why says what was wrong with it.
func (s *Store) judgeKey(ctx context.Context, g *gate, p *Person, f Factor, parsed *protocol.ParsedCredentialAssertionData,
	kept json.RawMessage) (out Shown, why string, err error) {
	var session webauthn.SessionData
	if len(kept) == 0 || json.Unmarshal(kept, &session) != nil || session.Challenge == "" {
		return out, "no key was asked for, or it was asked for by another page", nil
	}
	h := holder{p, credentials([]Factor{f})}
	if len(h.keys) != 1 {
		return out, "what is kept of the key cannot be read", nil
	}
	var c *webauthn.Credential
	if len(session.UserID) == 0 {
		c, err = s.keys.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
			if !bytes.Equal(handle, h.WebAuthnID()) {
				return nil, errors.New("another person's handle")
			}
			return h, nil
		}, session, parsed)
	} else {
		c, err = s.keys.ValidateLogin(h, session, parsed)
	}
	switch {
	case err != nil:
		return out, "its answer does not verify: " + detail(err), nil
	case !c.Flags.UserVerified:
		return out, "it did not verify its user", nil
	case c.Authenticator.CloneWarning:
		words := fmt.Sprintf("its counter went backwards, from %d to %d: it may be a copy", h.keys[0].Authenticator.SignCount,
			parsed.Response.AuthenticatorData.Counter)
		if err := s.d.DB.InTx(ctx, func(ctx context.Context) error { return s.note(ctx, p, NoteCopied, g.t.Source, f.Label+": "+words) }); err != nil {
			return out, "", failed(err)
		}
		return out, words, nil
	}
	f.credential = json.RawMessage(text(c))
	out, err = s.passed(ctx, g, Key, &f)
	if errors.Is(err, errLost) { // the same answer, or the same key, at the same time
		return out, "another answer was faster", nil
	}
	return out, "", err
}

// detail is what the library says, without what it was given.
func detail(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return cleaned(e.Details)
	}
	return "it cannot be read"
}

// askNewKey asks for a new key of a person.
func (s *Store) askNewKey(ctx context.Context, p *Person) (Ceremony, error) {
	if s.keys == nil {
		return Ceremony{}, errNoKeys()
	}
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return Ceremony{}, err
	}
	creds := credentials(list)
	if len(creds) >= MaxKeys {
		return Ceremony{}, problem.New(problem.Limit, "an account has %d security keys at most", MaxKeys).WithHint("take one away first")
	}
	o, kept, err := s.keys.BeginRegistration(holder{p, creds}, webauthn.WithExclusions(webauthn.Credentials(creds).CredentialDescriptors()),
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred))
	return ceremony(o, kept, err)
}

// newKey judges a key that was made for a ceremony.
func (s *Store) newKey(p *Person, kept json.RawMessage, response []byte) (f Factor, err error) {
	bad := func(why string) error {
		return problem.New(problem.Forbidden, "The security key was not accepted: %s", why).WithHint("Try again, or use another key")
	}
	if s.keys == nil {
		return f, errNoKeys()
	}
	var session webauthn.SessionData
	if len(kept) == 0 || json.Unmarshal(kept, &session) != nil || session.Challenge == "" {
		return f, bad("this page did not ask for one, or asked twice")
	}
	if len(response) == 0 || len(response) > maxResponse {
		return f, bad("what the browser sent is no key")
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return f, bad("what the browser sent is no key")
	}
	c, err := s.keys.CreateCredential(holder{p: p}, session, parsed)
	if err != nil {
		return f, bad(detail(err))
	}
	if !c.Flags.UserVerified {
		return f, bad("it did not verify you, by a PIN or a fingerprint")
	}
	model, err := uuid.FromBytes(c.Authenticator.AAGUID)
	if err != nil {
		model = uuid.Nil
	}
	if s.conf.Keys == KeysListed {
		if why := s.attested(model.String(), parsed); why != "" {
			return f, bad(why)
		}
	}
	f = Factor{Person: p.ID, Kind: Key, Model: model.String(), look: base64.RawURLEncoding.EncodeToString(c.ID), credential: json.RawMessage(text(c))}
	return f, nil
}

// attested says why a key does not prove to be of a listed model; "" where it does. The
// library has verified the statement's signature and that its certificate names the same
// model; here the certificate is held to the makers' roots.
func (s *Store) attested(model string, parsed *protocol.ParsedCredentialCreationData) string {
	if !slices.Contains(s.conf.KeyList, model) {
		return "its model is not among those that are taken here"
	}
	chain, _ := parsed.Response.AttestationObject.AttStatement["x5c"].([]any)
	if len(chain) == 0 {
		return "it does not attest its model"
	}
	var leaf *x509.Certificate
	between := x509.NewCertPool()
	for i, x := range chain {
		der, _ := x.([]byte)
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return "its attestation cannot be read"
		}
		if i == 0 {
			leaf = c
		} else {
			between.AddCert(c)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: s.roots, Intermediates: between, CurrentTime: s.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return "its attestation is by nobody whose word counts here"
	}
	return ""
}
