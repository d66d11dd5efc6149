package partnercloud

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// adminApp is the client that the administrator of the lab seems to use.
const adminApp = entra.AppAzureCLI // Microsoft Azure CLI

// asAdmin calls Graph as a tenant's first Global Administrator, with every
// delegated permission that Graph publishes, so that whoever holds the control
// secret can change the world by the same interface, and with the same traces,
// as an administrator would. tenant is an id or a domain; "" is the partner's.
func (s *Server) asAdmin(ctx context.Context, c control.GraphCall) (int, []byte, error) {
	if !strings.HasPrefix(c.Path, "/") || strings.HasPrefix(c.Path, "//") {
		return 0, nil, problem.New(problem.Usage, "a path of Graph begins with one /").WithHint("e.g. /v1.0/users")
	}
	to, err := url.Parse(c.Path)
	if err != nil || to.Host != "" {
		return 0, nil, problem.New(problem.Usage, "the path cannot be understood").WithHint("e.g. /v1.0/users?$top=5; spaces are %%20")
	}
	token, err := s.adminToken(c.Tenant)
	if err != nil {
		return 0, nil, err
	}
	to.Scheme, to.Host = "https", entra.GraphHost
	req, err := http.NewRequestWithContext(ctx, strings.ToUpper(c.Method), to.String(), bytes.NewReader(c.Body))
	if err != nil {
		return 0, nil, problem.Wrap(err, problem.Usage, "there is no method %.20q", c.Method)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if len(c.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if (req.Method == http.MethodPatch || req.Method == http.MethodDelete) && strings.Contains(to.Path, "/delegatedAdminRelationships/") {
		req.Header.Set("If-Match", "*") // asked for there, and whoever looks at the lab wants it as it is
	}
	if to.Query().Has("$count") {
		req.Header.Set("ConsistencyLevel", "eventual") // likewise
	}
	res, err := s.inner.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

func (s *Server) adminToken(tenant string) (string, error) {
	k := bearer.Claims{
		Audience: entra.Graph, Version: "1.0", ACR: "1", AMR: []string{"pwd", "mfa"},
		AppID: adminApp, AppIDACR: "0", AppName: "Microsoft Azure CLI", IDType: "user", UTI: world.NewGUID(),
	}
	found := false
	s.World.Read(func(st *world.State) {
		t := st.PartnerTenant()
		if tenant != "" {
			t = st.Tenant(tenant)
		}
		if t == nil {
			return
		}
		now := st.Clock.Now()
		for u := range t.Users.All() {
			if !u.Enabled || u.Guest || !t.HasRole(u.ID, now, entra.RoleGlobalAdministrator) {
				continue
			}
			found = true
			k.Issuer, k.TenantID, k.ObjectID, k.Subject, k.UPN, k.UniqueName, k.Name = bearer.IssuerV1(t.ID), t.ID, u.ID, u.ID, u.UPN, u.UPN, u.Name
			k.Wids = t.RolesOf(u.ID, now)
			k.IssuedAt, k.NotBefore, k.Issued, k.Expires = now.Unix(), now.Unix(), now.UnixNano(), now.Add(5*time.Minute).Unix()
			break
		}
		var scopes []string
		if r := st.Resource(entra.AppGraph); r != nil {
			for _, sc := range r.Scopes {
				scopes = append(scopes, sc.Value)
			}
		}
		k.Scope = strings.Join(scopes, " ")
	})
	if !found {
		return "", problem.New(problem.NotFound, "no tenant %.80q with a Global Administrator", tenant).
			WithHint("partnerguard cloud people lists the customers")
	}
	return s.Keys.Sign(&k)
}

// graphAnswer is asAdmin for the control API.
func (s *Server) graphAnswer(ctx context.Context, c control.GraphCall) (control.GraphAnswer, error) {
	status, body, err := s.asAdmin(ctx, c)
	if err != nil {
		return control.GraphAnswer{}, err
	}
	a := control.GraphAnswer{Status: status}
	if json.Valid(body) {
		a.Body = body
	}
	return a, nil
}
