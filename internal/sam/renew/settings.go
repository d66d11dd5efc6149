package renew

import (
	"context"
	"crypto/sha1" //nolint:gosec // Graph names certificates so
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
)

// GraphSettings reads what decides a connection's life through Graph, with the
// connection's own token. It is a [SettingsReader].
type GraphSettings struct {
	Graph func(sam.Connection) (*msapi.Graph, error) // as the connection sees it
	Store *sam.Store                                 // knows which certificate is ours
}

// settingsLife bounds a reading: a renewal must not hang on it.
const settingsLife = time.Minute

// Settings reads policies, locations, the account's groups and roles, and the
// app's credentials. What the token may not read, or the tenant does not have,
// is named.
func (r GraphSettings) Settings(ctx context.Context, c sam.Connection) (Settings, error) {
	ctx, stop := context.WithTimeout(ctx, settingsLife)
	defer stop()
	var out Settings
	g, err := r.Graph(c)
	if err != nil {
		return out, err
	}
	missing := func(what string, err error) {
		why := "it could not be read"
		if p, ok := errors.AsType[*problem.Error](err); ok {
			why = p.Public
		}
		if a, ok := errors.AsType[*msapi.APIError](err); ok && a.Status == http.StatusForbidden {
			why += "; give the account a role that may read it, such as Security Reader"
		}
		out.Unknown = append(out.Unknown, what+": "+why)
	}
	if t, err := r.tenant(ctx, g, c); err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		missing("which policies ask for a fresh sign-in or block it", err)
	} else {
		out.Tenant = t
	}
	app, err := g.Application(ctx, c.ClientID)
	if err == nil {
		var list []msapi.AppCredential
		if list, err = msapi.AppCredentials(app); err == nil {
			out.CredentialsRead = true
			reg, _ := r.Store.Registration(ctx, c.ClientID) // without one no certificate is ours
			for _, k := range list {
				x := Credential{ID: k.KeyID, Name: k.Name, Kind: k.Kind, NotBefore: k.From, NotAfter: k.Until}
				if isOurs(reg.Certificate, k.Thumbprint) {
					x.Thumbprint = reg.Thumbprint
				}
				out.Credentials = append(out.Credentials, x)
			}
		}
	}
	if err != nil {
		missing("what the app registration says of its credentials", err)
	}
	return out, nil
}

// isOurs says that a key's customKeyIdentifier is the thumbprint of our
// certificate. Graph makes it so where nobody chose another: SHA-1, and SHA-256
// in some answers, in base64 or hex. One that is neither tells nothing: whoever
// added the key may have put anything there.
func isOurs(certificate, identifier string) bool {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || identifier == "" {
		return false
	}
	short, long := sha1.Sum(block.Bytes), sha256.Sum256(block.Bytes) //nolint:gosec // Graph's choice; it decides nothing
	for _, sum := range [][]byte{short[:], long[:]} {
		if identifier == base64.StdEncoding.EncodeToString(sum) || strings.EqualFold(identifier, hex.EncodeToString(sum)) {
			return true
		}
	}
	return false
}

// tenant reads the settings and the one account that matters. Its groups and
// roles are read whole, nested ones too, so every group is known as far as it
// is concerned.
func (r GraphSettings) tenant(ctx context.Context, g *msapi.Graph, c sam.Connection) (*access.Tenant, error) {
	f := facts.New()
	take := func(kind evidence.Kind, name string, rows []json.RawMessage) error {
		for i, raw := range rows {
			if err := f.Take(kind, raw, evidence.Source{Path: "graph:" + name, Index: i + 1}); err != nil {
				return problem.Wrap(err, problem.BadInput, "what Graph answered of %s cannot be understood", name)
			}
		}
		return nil
	}
	policies, err := g.ConditionalAccessPolicies(ctx)
	if err == nil {
		err = take(evidence.ConditionalAccessPolicy, "policies", policies)
	}
	if err != nil {
		return nil, err
	}
	locations, err := g.NamedLocations(ctx)
	if err == nil {
		err = take(evidence.NamedLocation, "named locations", locations)
	}
	if err != nil {
		return nil, err
	}
	defaults, err := g.SecurityDefaults(ctx)
	if err == nil {
		err = take(evidence.SecurityDefaults, "security defaults", []json.RawMessage{defaults})
	}
	if err != nil {
		return nil, err
	}
	held, err := g.MemberOf(ctx, c.ObjectID)
	if err != nil {
		return nil, err
	}
	t := f.Tenant()
	who := access.Subject{ID: strings.ToLower(c.ObjectID), Name: c.Account}
	for _, raw := range held {
		var x struct {
			Type string `json:"@odata.type"`
			ID   string `json:"id"`
			Role string `json:"roleTemplateId"`
		}
		if err := json.Unmarshal(raw, &x); err != nil {
			return nil, problem.Wrap(err, problem.BadInput, "what Graph answered of the account's groups cannot be understood")
		}
		switch {
		case x.Role != "" || strings.HasSuffix(x.Type, ".directoryRole"):
			who.Roles = append(who.Roles, strings.ToLower(x.Role))
		case x.ID != "":
			who.Groups = append(who.Groups, strings.ToLower(x.ID))
		}
	}
	t.Users, t.RolesKnown, t.Whole = []access.Subject{who}, true, false
	t.KnownGroups = map[string]bool{}
	for _, p := range t.Policies {
		u := &p.Conditions.Users
		for _, ids := range [][]string{u.IncludeGroups, u.ExcludeGroups, who.Groups} {
			for _, id := range ids {
				t.KnownGroups[strings.ToLower(id)] = true
			}
		}
	}
	return t, nil
}
