package graph

import (
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// The helper actions for secrets and certificates of applications.

func addPassword(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
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
	c.setApp(s, t, a, func(a *world.Application) { a.Passwords = append(slices.Clone(a.Passwords), cred) })
	body := append(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.passwordCredential"}}, passwordObject(cred, secret)...)
	return give(body)
}

func removePassword(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	if err := (fields{"keyId": text().need()}).check("", c.in); err != nil {
		return nil, err
	}
	is := func(p world.PasswordCredential) bool { return strings.EqualFold(p.KeyID, str(c.in, "keyId")) }
	if !slices.ContainsFunc(a.Passwords, is) {
		return nil, badRequest("No password credential found with keyId.")
	}
	c.setApp(s, t, a, func(a *world.Application) { a.Passwords = slices.DeleteFunc(slices.Clone(a.Passwords), is) })
	return noContent()
}

func addKey(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	// The proof of possession of an earlier key is accepted unread: there may be
	// none in a fresh world.
	if err := (fields{"keyCredential": obj(keyFields()).need(), "passwordCredential": unused(), "proof": text()}).check("", c.in); err != nil {
		return nil, err
	}
	cred, err := keyOf(inner(c.in, "keyCredential"))
	if err != nil {
		return nil, err
	}
	c.setApp(s, t, a, func(a *world.Application) { a.Keys = append(slices.Clone(a.Keys), cred) })
	body := append(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.keyCredential"}}, keys([]world.KeyCredential{cred})[0]...)
	return give(body)
}

func removeKey(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	if err := (fields{"keyId": text().need(), "proof": text()}).check("", c.in); err != nil {
		return nil, err
	}
	is := func(p world.KeyCredential) bool { return strings.EqualFold(p.KeyID, str(c.in, "keyId")) }
	if !slices.ContainsFunc(a.Keys, is) {
		return nil, badRequest("No key credential found with keyId.")
	}
	c.setApp(s, t, a, func(a *world.Application) { a.Keys = slices.DeleteFunc(slices.Clone(a.Keys), is) })
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
	return cred, nil
}

// replaceKeys is what PATCH does with keyCredentials: the list becomes what was
// written. An entry without its certificate names one that stays by keyId.
func replaceKeys(a *world.Application, list []map[string]any) ([]world.KeyCredential, error) {
	out := []world.KeyCredential{}
	for _, m := range list {
		if str(m, "key") == "" {
			i := slices.IndexFunc(a.Keys, func(k world.KeyCredential) bool { return strings.EqualFold(k.KeyID, str(m, "keyId")) })
			if i < 0 {
				return nil, badRequest("A key credential needs its certificate, or the keyId of one that stays.")
			}
			out = append(out, a.Keys[i])
			continue
		}
		cred, err := keyOf(m)
		if err != nil {
			return nil, err
		}
		out = append(out, cred)
	}
	return out, nil
}

// setApp changes an application's credentials and audits what is not secret.
func (c *call) setApp(s *world.State, t *world.Tenant, a *world.Application, f func(*world.Application)) {
	next := *a
	f(&next)
	s.PutApp(t, &next)
	ids := func(a *world.Application) []string {
		out := []string{}
		for _, p := range a.Passwords {
			out = append(out, "[KeyIdentifier="+p.KeyID+",KeyType=Password,KeyUsage=Verify,DisplayName="+p.Name+"]")
		}
		for _, k := range a.Keys {
			out = append(out, "[KeyIdentifier="+k.KeyID+",KeyType="+k.Type+",KeyUsage=Verify,DisplayName="+k.Name+"]")
		}
		for _, x := range a.Federated {
			out = append(out, "[FederatedIdentityCredential="+x.Name+",Issuer="+x.Issuer+",Subject="+x.Subject+"]")
		}
		return out
	}
	ch := change{activity: "Update application \u2013 Certificates and secrets management", category: "ApplicationManagement", target: appTarget(a)}
	ch.changed("KeyDescription", ids(a), ids(&next))
	c.audit(s, t, ch)
}
