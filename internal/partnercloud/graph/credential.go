package graph

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// The helper actions for secrets and certificates, of applications and of service
// principals.

// holder is what has credentials.
type holder struct {
	passwords []world.PasswordCredential
	keys      []world.KeyCredential
	put       func(passwords []world.PasswordCredential, keys []world.KeyCredential)
}

func appHolder(c *call, s *world.State, t *world.Tenant) (*holder, error) {
	a, err := findApp(c, s, t)
	if err != nil {
		return nil, err
	}
	return &holder{a.Passwords, a.Keys, func(p []world.PasswordCredential, k []world.KeyCredential) {
		c.setApp(s, t, a, func(a *world.Application) { a.Passwords, a.Keys = p, k })
	}}, nil
}

func spHolder(c *call, s *world.State, t *world.Tenant) (*holder, error) {
	sp, err := findSP(c, s, t)
	if err != nil {
		return nil, err
	}
	return &holder{sp.Passwords, sp.Keys, func(p []world.PasswordCredential, k []world.KeyCredential) {
		t.SPs.Change(sp.ID, func(sp *world.ServicePrincipal) { sp.Passwords, sp.Keys = p, k })
		s.Touch(t)
		ch := change{activity: "Add service principal credentials", category: "ApplicationManagement", target: spTarget(sp)}
		if len(p)+len(k) < len(sp.Passwords)+len(sp.Keys) {
			ch.activity = "Remove service principal credentials"
		}
		ch.changed("KeyDescription", described(sp.Passwords, sp.Keys), described(p, k))
		c.audit(s, t, ch)
	}}, nil
}

func addPassword(c *call, s *world.State, t *world.Tenant, h *holder) (*reply, error) {
	fs := fields{"passwordCredential": obj(fields{
		"displayName": text().upTo(120), "startDateTime": when(), "endDateTime": when(), "keyId": unused(), "secretText": unused(), "hint": unused(),
		"customKeyIdentifier": unused(),
	})}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	m := inner(c.in, "passwordCredential")
	secret := world.NewSecret()[:40]
	cred := world.PasswordCredential{
		KeyID: world.NewGUID(), Name: str(m, "displayName"), Hint: secret[:3], Start: later(moment(m, "startDateTime"), time.Time{}),
		End: moment(m, "endDateTime"), Hash: world.HashSecret(secret),
	}
	if cred.Start.IsZero() {
		cred.Start = c.now
	}
	if cred.End.IsZero() {
		cred.End = cred.Start.AddDate(2, 0, 0)
	}
	if !cred.End.After(cred.Start) {
		return nil, badRequest("The endDateTime of the credential must lie after its startDateTime.")
	}
	h.put(append(slices.Clone(h.passwords), cred), h.keys)
	body := append(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.passwordCredential"}}, passwordObject(cred, secret)...)
	return give(body)
}

func removePassword(c *call, s *world.State, t *world.Tenant, h *holder) (*reply, error) {
	if err := (fields{"keyId": text().need()}).check("", c.in); err != nil {
		return nil, err
	}
	is := func(p world.PasswordCredential) bool { return strings.EqualFold(p.KeyID, str(c.in, "keyId")) }
	if !slices.ContainsFunc(h.passwords, is) {
		return nil, badRequest("No password credential found with keyId.")
	}
	h.put(slices.DeleteFunc(slices.Clone(h.passwords), is), h.keys)
	return noContent()
}

func addKey(c *call, s *world.State, t *world.Tenant, h *holder) (*reply, error) {
	// The proof of possession of an earlier key is accepted unread: there may be
	// none in a fresh world.
	if err := (fields{"keyCredential": obj(keyFields()).need(), "passwordCredential": unused(), "proof": text()}).check("", c.in); err != nil {
		return nil, err
	}
	cred, err := keyOf(inner(c.in, "keyCredential"))
	if err != nil {
		return nil, err
	}
	h.put(h.passwords, append(slices.Clone(h.keys), cred))
	body := append(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.keyCredential"}}, keys([]world.KeyCredential{cred})[0]...)
	return give(body)
}

func removeKey(c *call, s *world.State, t *world.Tenant, h *holder) (*reply, error) {
	if err := (fields{"keyId": text().need(), "proof": text()}).check("", c.in); err != nil {
		return nil, err
	}
	is := func(p world.KeyCredential) bool { return strings.EqualFold(p.KeyID, str(c.in, "keyId")) }
	if !slices.ContainsFunc(h.keys, is) {
		return nil, badRequest("No key credential found with keyId.")
	}
	h.put(h.passwords, slices.DeleteFunc(slices.Clone(h.keys), is))
	return noContent()
}

// keyFields are the members of a keyCredential that may be written.
func keyFields() fields {
	return fields{
		"type": enum("AsymmetricX509Cert").need(), "usage": enum("Verify").need(), "key": text().upTo(20_000), "displayName": text().upTo(120),
		"keyId": text(), "startDateTime": when(), "endDateTime": when(), "customKeyIdentifier": text(),
	}
}

// keyOf reads a keyCredential that brings its certificate.
func keyOf(m map[string]any) (cred world.KeyCredential, err error) {
	der, err := base64.StdEncoding.DecodeString(str(m, "key"))
	if err != nil {
		return cred, badRequest("The key is not valid base64.")
	}
	if block, _ := pem.Decode(der); block != nil && block.Type == "CERTIFICATE" { // files of certificates come in either form
		der = block.Bytes
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return cred, badRequest("Key value is invalid certificate.")
	}
	cred = world.KeyCredential{
		KeyID: world.NewGUID(), Name: str(m, "displayName"), Type: "AsymmetricX509Cert", Usage: "Verify", Start: cert.NotBefore.UTC(),
		End: cert.NotAfter.UTC(), DER: der,
	}
	if cred.Name == "" {
		cred.Name = cert.Subject.String()
	}
	if id := str(m, "keyId"); world.IsGUID(id) {
		cred.KeyID = id
	}
	return cred, nil
}

// replaceKeys is what PATCH does with keyCredentials: the list becomes what was
// written. An entry without its certificate names one that stays by keyId.
func replaceKeys(have []world.KeyCredential, list []map[string]any) ([]world.KeyCredential, error) {
	out := []world.KeyCredential{}
	for _, m := range list {
		if str(m, "key") == "" {
			i := slices.IndexFunc(have, func(k world.KeyCredential) bool { return strings.EqualFold(k.KeyID, str(m, "keyId")) })
			if i < 0 {
				return nil, badRequest("A key credential needs its certificate, or the keyId of one that stays.")
			}
			out = append(out, have[i])
			continue
		}
		cred, err := keyOf(m)
		if err != nil {
			return nil, err
		}
		out = append(out, cred)
	}
	seen := map[string]bool{}
	for _, k := range out {
		if id := strings.ToLower(k.KeyID); seen[id] {
			return nil, badRequest("Another key credential has the keyId '%s'.", clip(k.KeyID))
		} else {
			seen[id] = true
		}
	}
	return out, nil
}

// setApp changes an application's credentials and audits what is not secret.
func (c *call) setApp(s *world.State, t *world.Tenant, a *world.Application, f func(*world.Application)) {
	next := *a
	f(&next)
	s.PutApp(t, &next)
	ids := func(a *world.Application) []string {
		out := described(a.Passwords, a.Keys)
		for _, x := range a.Federated {
			out = append(out, "[FederatedIdentityCredential="+x.Name+",Issuer="+x.Issuer+",Subject="+x.Subject+"]")
		}
		return out
	}
	ch := change{activity: "Update application \u2013 Certificates and secrets management", category: "ApplicationManagement", target: appTarget(a)}
	ch.changed("KeyDescription", ids(a), ids(&next))
	c.audit(s, t, ch)
}

// described names credentials as the audit log does: nothing of it is secret.
func described(passwords []world.PasswordCredential, keys []world.KeyCredential) []string {
	out := []string{}
	for _, p := range passwords {
		out = append(out, "[KeyIdentifier="+p.KeyID+",KeyType=Password,KeyUsage=Verify,DisplayName="+p.Name+"]")
	}
	for _, k := range keys {
		out = append(out, "[KeyIdentifier="+k.KeyID+",KeyType="+k.Type+",KeyUsage=Verify,DisplayName="+k.Name+"]")
	}
	return out
}
