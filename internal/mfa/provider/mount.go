package provider

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
	"partnerguard/internal/web"
)

// maxForm bounds the form: the hint is the largest of its fields.
const maxForm = 160 << 10

// Mount answers below [Base].
func (p *Provider) Mount(m web.Mux) error {
	m.Handle(web.Route{Name: "mfa.discovery", Pattern: "GET " + DiscoveryPath, Access: web.Public("Entra ID reads what a provider is"), Handle: p.discovery})
	m.Handle(web.Route{Name: "mfa.keys", Pattern: "GET " + KeysPath, Access: web.Public("public keys, for whoever verifies"), Handle: p.keySet})
	m.Handle(web.Route{Name: "mfa.script", Pattern: "GET " + scriptPath, Access: web.Public("a file of ours"),
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			return web.Reply(w, r, "text/javascript; charset=utf-8", postScript)
		}})
	m.Handle(web.Route{Name: "mfa.authorize", Pattern: "POST " + AuthorizePath, Page: true, MaxBody: maxForm,
		Access:     web.Own("the hint is signed by Entra ID, for us, taken once and for five minutes"),
		OtherSites: "Entra ID's page posts it, and what it posts is proven by its signature", Handle: p.authorize})
	m.Handle(web.Route{Name: "mfa.consented", Pattern: "GET " + AuthorizePath, Page: true, Access: web.Public("it says the same to everybody"),
		Handle: p.consented})
	return nil
}

// metadata is what Entra ID discovers (contracts.md section 6.1).
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Scopes        []string `json:"scopes_supported"`
	Types         []string `json:"response_types_supported"`
	Modes         []string `json:"response_modes_supported"`
	Subjects      []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Grants        []string `json:"grant_types_supported"`
	ClaimTypes    []string `json:"claim_types_supported"`
	Claims        []string `json:"claims_supported"`
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) error {
	if err := p.usable(); err != nil {
		return err
	}
	return whole(w, metadata{
		Issuer: p.Issuer(), Authorization: p.Authorization(), Keys: p.at(KeysPath), Scopes: []string{"openid"}, Types: []string{"id_token"},
		Modes: []string{"form_post"}, Subjects: []string{"public"}, Algorithms: []string{"RS256"}, Grants: []string{"implicit"}, ClaimTypes: []string{"normal"},
		Claims: []string{"iss", "aud", "sub", "nonce", "iat", "exp", "acr", "amr"},
	})
}

// published is one key of the key set, with every member that Entra ID wants.
type published struct {
	Type      string   `json:"kty"`
	Use       string   `json:"use"`
	ID        string   `json:"kid"`
	Algorithm string   `json:"alg"`
	Thumb     string   `json:"x5t"`
	Chain     []string `json:"x5c"`
	N         string   `json:"n"`
	E         string   `json:"e"`
}

func (p *Provider) keySet(w http.ResponseWriter, r *http.Request) error {
	if err := p.usable(); err != nil {
		return err
	}
	list, err := p.Keys(r.Context())
	if err == nil && of(list, Signing) == nil { // the first who asks: the job has not come to it yet
		if err = p.Prepare(r.Context(), "system:mfa"); err == nil {
			list, err = p.Keys(r.Context())
		}
	}
	if errors.Is(err, vault.ErrForged) { // which row it is, is for the log
		return problem.Wrap(err, problem.Unavailable, "the keys cannot be vouched for")
	}
	if err != nil {
		return err
	}
	out := struct {
		Keys []published `json:"keys"`
	}{[]published{}}
	for i := range list {
		if list[i].State == Withdrawn {
			continue
		}
		k, err := list[i].publish()
		if err != nil {
			return err
		}
		out.Keys = append(out.Keys, k)
	}
	return whole(w, out)
}

// whole writes JSON with its length, which Entra ID wants, and uncompressed.
func whole(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Cache-Control", "public, max-age=300")
	head.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }
