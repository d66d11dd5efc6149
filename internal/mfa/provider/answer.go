package provider

import (
	"bytes"
	"context"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/mfa"
	"partnerguard/internal/page"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// answerLife is how long an answer is good: a browser carries it straight on.
const answerLife = 2 * time.Minute

// Answer sends the browser back to Entra ID with what became of a challenge: with the
// claim, signed, or with an error. It meets [mfa.Answerer].
func (p *Provider) Answer(w http.ResponseWriter, r *http.Request, c mfa.Challenge, payload []byte, o mfa.Outcome) error {
	open(w)
	if err := p.usable(); err != nil {
		return err
	}
	var a asked
	if err := json.Unmarshal(payload, &a); err != nil || !slices.Contains(p.returns(), a.Redirect) {
		return problem.Wrap(err, problem.Internal, "what a challenge keeps cannot be read")
	}
	req := claim.ExternalRequest{RedirectURI: a.Redirect, State: secret.New(a.State), HasState: a.HasState}
	no := refusal{tenant: c.Account.Tenant, proven: true, correlation: c.Correlation, source: mfa.Source(r), code: AccessDenied}
	now := p.d.Now()
	switch {
	case o.Error != "":
		if no.code = AccessDenied; o.Error == Unavailable {
			no.code = Unavailable
		}
		return p.deny(w, r, req, c, no.code, o.Why)
	case !now.Before(c.Deadline):
		no.reason, no.why = tooLate, "the person needed longer than the five minutes that Entra ID gives"
		return p.refuse(w, r, req, no)
	case !slices.Contains(c.Accept, o.AMR) || a.ACR[o.AMR] == "":
		no.reason, no.why = noFactor, "the factor that was shown is not one that was asked for"
		return p.refuse(w, r, req, no)
	}
	signed, err := p.sign(r.Context(), a, o.AMR, now)
	if err == nil {
		err = p.d.Record.Record(r.Context(), audit.Event{Action: audit.MFAAnswered, Outcome: audit.Done, Actor: "system:mfa", Object: c.Account.Object,
			Tenant: c.Account.Tenant, Details: map[string]string{"amr": o.AMR, "acr": a.ACR[o.AMR], "correlation": c.Correlation}})
	}
	if err != nil {
		p.d.Log.ErrorContext(r.Context(), "the claim cannot be signed", "err", err)
		no.reason, no.why, no.code = broken, words(err), Unavailable
		return p.refuse(w, r, req, no)
	}
	p.count(r.Context(), "answered", c.Account.Tenant)
	return p.post(w, r, req, "id_token", signed.Reveal())
}

// deny tells Entra ID that the person did not show a factor, as the pages say it.
func (p *Provider) deny(w http.ResponseWriter, r *http.Request, req claim.ExternalRequest, c mfa.Challenge, code, why string) error {
	p.count(r.Context(), "denied", c.Account.Tenant)
	err := p.d.Record.Record(r.Context(), audit.Event{Action: audit.MFAAnswered, Outcome: audit.Refused, Actor: "system:mfa", Object: c.Account.Object,
		Tenant: c.Account.Tenant, Reason: tidy(why), Details: map[string]string{"answer": code, "correlation": c.Correlation}})
	if err != nil {
		p.d.Log.ErrorContext(r.Context(), "an answer is not in the trail", "err", err)
	}
	return p.post(w, r, req, "error", code, "error_description", tidy(why))
}

// refuse sends the browser back with an error whose words say nothing but where the
// administrator finds the reason.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, req claim.ExternalRequest, no refusal) error {
	p.explain(r.Context(), no)
	return p.post(w, r, req, "error", no.code, "error_description", "The request was not taken. Reference "+web.RequestID(r.Context()))
}

// sign makes the id_token (contracts.md section 6.3): one amr, in an array.
func (p *Provider) sign(ctx context.Context, a asked, amr string, now time.Time) (secret.Text, error) {
	s, err := p.signer(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	payload, err := json.Marshal(struct {
		Issuer   string   `json:"iss"`
		Audience string   `json:"aud"`
		Subject  string   `json:"sub"`
		Nonce    string   `json:"nonce,omitempty"`
		Issued   int64    `json:"iat"`
		Expires  int64    `json:"exp"`
		ACR      string   `json:"acr"`
		AMR      []string `json:"amr"`
	}{p.Issuer(), a.Client, a.Subject, a.Nonce, now.Unix(), now.Add(answerLife).Unix(), a.ACR[amr], []string{amr}})
	if err != nil {
		return secret.Text{}, err
	}
	sig, err := s.Sign(payload)
	if err != nil {
		return secret.Text{}, problem.Wrap(err, problem.Internal, "the claim cannot be signed")
	}
	text, err := sig.CompactSerialize()
	return secret.New(text), err
}

// signer gives what signs with the key that signs now. Which that is, is read each
// time: another process may have switched it.
func (p *Provider) signer(ctx context.Context) (jose.Signer, error) {
	list, err := p.Keys(ctx)
	if err != nil {
		return nil, err
	}
	k := of(list, Signing)
	if k == nil {
		return nil, problem.New(problem.Unavailable, "no key signs").WithHint("partnerguard serve makes one when it starts")
	}
	p.mu.Lock()
	s := p.signers[k.ID]
	p.mu.Unlock()
	if s != nil {
		return s, nil
	}
	sealed, err := p.d.Vault.Get(ctx, keyRef(k.ID))
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(sealed.Reveal())
	if err != nil {
		return nil, problem.New(problem.Internal, "the key that signs cannot be read")
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	clear(der)
	if err != nil {
		return nil, problem.New(problem.Internal, "the key that signs cannot be read")
	}
	s, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", k.ID))
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the key that signs cannot be used")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.signers) > 4 {
		clear(p.signers)
	}
	p.signers[k.ID] = s
	return s, nil
}

//go:embed post.tmpl
var postText string

//go:embed post.js
var postScript []byte

var (
	writePost = page.Renderer(postText, nil)
	postSheet = sync.OnceValue(func() page.Sheet { return page.NewSheet() })
)

type hidden struct{ Name, Value string }

// post writes the page whose form posts itself to Entra ID: by the script, or by its
// button.
func (p *Provider) post(w http.ResponseWriter, r *http.Request, req claim.ExternalRequest, pairs ...string) error {
	answer := req.Answer(pairs...)
	view := postView{CSS: postSheet().CSS, Script: scriptPath, To: req.RedirectURI, Title: "Back to Microsoft",
		Words: "The sign-in ends at Microsoft, where you can begin once more.", Close: "If nothing happens within a moment, press the button."}
	if answer.Has("id_token") {
		view.Words = "It is you. The sign-in goes on at Microsoft."
	}
	for _, name := range []string{"id_token", "error", "error_description", "state"} {
		if answer.Has(name) {
			view.Fields = append(view.Fields, hidden{name, answer.Get(name)})
		}
	}
	return view.write(w, postPolicy(req.RedirectURI))
}

// postView is a page of ours on the way between sites.
type postView struct {
	CSS                         template.CSS
	Script, Title, Words, Close string
	To                          string // where its form goes; "" has none
	Fields                      []hidden
}

func (v postView) write(w http.ResponseWriter, policy string) error {
	var b bytes.Buffer
	if err := writePost(&b, v); err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
	return nil
}

// postPolicy allows our script and a form to Entra ID, which itself sends the browser
// on to wherever it was to sign in: browsers hold such redirects to form-action too, so
// that only the scheme can be named.
func postPolicy(to string) string {
	scheme := "https:"
	if u, err := url.Parse(to); err == nil && u.Scheme == "http" {
		scheme = "http: https:"
	}
	return postSheet().Policy(scheme) + "; script-src 'self'"
}

// consented is where Entra ID sends an administrator after the consent to our app: to its
// redirect URI. It says what came, and believes none of it.
func (p *Provider) consented(w http.ResponseWriter, r *http.Request) error {
	v := postView{CSS: postSheet().CSS, Title: "Nothing to do here",
		Words: "This address is for Microsoft Entra ID, which sends people here when they sign in.",
		Close: "Begin at the application that you want to use."}
	switch q := r.URL.Query(); {
	case q.Has("error"):
		v.Title, v.Words, v.Close = "The consent was not given", "Microsoft Entra ID says that the consent was declined or did not work.",
			"Whoever sent you the link can send it once more."
	case q.Get("admin_consent") != "":
		v.Title, v.Words, v.Close = "Thank you", "Microsoft Entra ID says that the consent was given. Tell whoever sent you the link: "+
			"the method can be enabled now.", "You can close this page."
	}
	return v.write(w, postSheet().Policy("'none'"))
}
