//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/msapi"
)

// account is what of a user or service principal is looked at.
type account struct {
	ID      string     `json:"id"`
	Enabled *bool      `json:"accountEnabled"`
	Valid   *time.Time `json:"signInSessionsValidFromDateTime"`
	UPN     string     `json:"userPrincipalName"`
	Name    string     `json:"displayName"`
	App     string     `json:"appId"`
	Owner   string     `json:"appOwnerOrganizationId"`
}

func readAccount(ctx context.Context, g Graph, path string) (a account, err error) {
	r, err := g.Read(ctx, path)
	if err == nil && (json.Unmarshal(r.Body, &a) != nil || a.ID == "") {
		err = unreadable("an account")
	}
	return a, err
}

func userPath(id string) string {
	return "/v1.0/users/" + id + "?$select=id,displayName,userPrincipalName,accountEnabled,signInSessionsValidFromDateTime"
}

func appPath(id string) string {
	return "/v1.0/servicePrincipals/" + id + "?$select=id,displayName,appId,accountEnabled,appOwnerOrganizationId"
}

// slack is what clocks may differ by.
const slack = 5 * time.Minute

// lookSessions knows that sessions were revoked by the moment from which they count, when
// that lies after it was asked for.
func lookSessions(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	a, err := readAccount(ctx, c.graph(p.Step.Tenant), userPath(p.Step.Target))
	if err != nil {
		return gone(err)
	}
	if !p.Asked.IsZero() && a.Valid != nil && !a.Valid.Before(p.Asked.Add(-time.Second)) {
		return After, nil
	}
	return Before, nil
}

func revoke(ctx context.Context, c *Cloud, s *Step) (string, error) {
	_, err := c.graph(s.Tenant).Write(ctx, msapi.Write{Method: http.MethodPost, Path: "/v1.0/users/" + s.Target + "/revokeSignInSessions"})
	return "", err
}

func lookEnabled(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	path := userPath(p.Step.Target)
	if p.Step.Kind == DisableApp {
		path = appPath(p.Step.Target)
	}
	a, err := readAccount(ctx, c.graph(p.Step.Tenant), path)
	switch {
	case err != nil:
		return gone(err)
	case a.Enabled == nil:
		return "", unreadable("an account")
	case *a.Enabled:
		return Before, nil
	}
	return After, nil
}

func enable(list string, on bool) func(context.Context, *Cloud, *Step) (string, error) {
	return func(ctx context.Context, c *Cloud, s *Step) (string, error) {
		_, err := c.graph(s.Tenant).Write(ctx, msapi.Write{Method: http.MethodPatch, Path: "/v1.0/" + list + "/" + s.Target,
			Body: map[string]bool{"accountEnabled": on}})
		return "", err
	}
}

// credentials are those of an app or service principal.
type credentials struct {
	Passwords []credential      `json:"passwordCredentials"`
	Keys      []json.RawMessage `json:"keyCredentials"`
}

type credential struct {
	Key   string    `json:"keyId"`
	Name  string    `json:"displayName"`
	Start time.Time `json:"startDateTime"`
	End   time.Time `json:"endDateTime"`
}

func (c *credentials) password(key string) bool {
	for _, p := range c.Passwords {
		if strings.EqualFold(p.Key, key) {
			return true
		}
	}
	return false
}

// without are the certificates but for one; found says that it was there.
func (c *credentials) without(key string) (rest []json.RawMessage, found bool) {
	rest = []json.RawMessage{}
	for _, raw := range c.Keys {
		var k credential
		if json.Unmarshal(raw, &k) == nil && strings.EqualFold(k.Key, key) {
			found = true
			continue
		}
		rest = append(rest, raw)
	}
	return rest, found
}

// readCredentials reads those of "applications/…" or "servicePrincipals/…".
func readCredentials(ctx context.Context, c *Cloud, s *Step) (out credentials, err error) {
	r, err := c.graph(s.Tenant).Read(ctx, "/v1.0/"+s.Target+"?$select=id,passwordCredentials,keyCredentials")
	if err == nil && json.Unmarshal(r.Body, &out) != nil {
		err = unreadable("an app's credentials")
	}
	return out, err
}

func lookCredential(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	in, err := readCredentials(ctx, c, &p.Step)
	if err != nil {
		return gone(err)
	}
	if _, is := in.without(p.Step.Key); is || in.password(p.Step.Key) {
		return Before, nil
	}
	return After, nil
}

// removeCredential removes a secret by its key. A certificate goes by writing the others
// back: Graph's own removeKey wants a proof by another key of the app, which we have not.
func removeCredential(ctx context.Context, c *Cloud, s *Step) (string, error) {
	in, err := readCredentials(ctx, c, s)
	if err != nil {
		return "", err
	}
	w := msapi.Write{Method: http.MethodPost, Path: "/v1.0/" + s.Target + "/removePassword", Body: map[string]string{"keyId": s.Key}}
	if rest, is := in.without(s.Key); is {
		w = msapi.Write{Method: http.MethodPatch, Path: "/v1.0/" + s.Target, Body: map[string]any{"keyCredentials": rest}}
	} else if !in.password(s.Key) {
		return "", nil
	}
	_, err = c.graph(s.Tenant).Write(ctx, w)
	return "", err
}
