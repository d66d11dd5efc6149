package claim

import (
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// ExternalRequest is what Entra ID posts to the authorization endpoint of a
// provider of External MFA. Fields of the form that the contract does not name
// are ignored. (contracts.md section 6.2, contracts-2026-11.md section 0)
type ExternalRequest struct {
	ClientID    string
	RedirectURI string
	Nonce       secret.Text // zero when none was passed
	State       secret.Text // zero when none was passed
	HasState    bool        // an answer carries a state only when the request did
	Hint        secret.Text // for [VerifyHint]
	Claims      string      // JSON: the acr and amr values asked for
	Correlation string      // client-request-id, for support
}

// maxField bounds a field of the form; the hint is bounded by [MaxSize].
const maxField = 8 << 10

// externalFields are the fields that the contract names.
var externalFields = []string{
	"scope", "response_type", "response_mode", "client_id", "redirect_uri", "nonce", "state", "id_token_hint", "claims", "client-request-id",
}

// ReadExternalRequest reads the posted form. redirects are Entra ID's own
// addresses for the answer, compared whole: nothing is sent anywhere else.
// response_type is compared without case, as the contract itself prints
// "Id_token". A field that is there twice, too long, or missing though required
// refuses the request: kind BadInput.
func ReadExternalRequest(form url.Values, redirects []string) (ExternalRequest, error) {
	refuse := func(why string, args ...any) (ExternalRequest, error) {
		return ExternalRequest{}, problem.New(problem.BadInput, "the request of External MFA is refused: "+why, args...)
	}
	for _, name := range externalFields {
		limit := maxField
		if name == "id_token_hint" {
			limit = MaxSize
		}
		switch v := form[name]; {
		case len(v) > 1:
			return refuse("%s is there twice", name)
		case len(v) == 1 && len(v[0]) > limit:
			return refuse("%s is too long", name)
		}
	}
	r := ExternalRequest{
		ClientID: form.Get("client_id"), RedirectURI: form.Get("redirect_uri"), Nonce: secret.New(form.Get("nonce")), State: secret.New(form.Get("state")),
		HasState: form.Has("state"), Hint: secret.New(form.Get("id_token_hint")), Claims: form.Get("claims"), Correlation: form.Get("client-request-id"),
	}
	switch {
	case !slices.Contains(redirects, r.RedirectURI):
		return refuse("its redirect_uri is not one of Entra ID's")
	case !strings.EqualFold(form.Get("response_type"), "id_token"):
		return refuse("its response_type is not id_token")
	case form.Has("response_mode") && form.Get("response_mode") != "form_post":
		return refuse("its response_mode is not form_post")
	case !slices.Contains(strings.Fields(form.Get("scope")), "openid"):
		return refuse("its scope lacks openid")
	case r.ClientID == "":
		return refuse("it has no client_id")
	case r.Hint.IsZero():
		return refuse("it has no id_token_hint")
	}
	return r, nil
}

// Answer is the form to post back with the fields given, e.g. id_token, or error
// and error_description.
func (r ExternalRequest) Answer(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	if r.HasState {
		out.Set("state", r.State.Reveal())
	}
	return out
}
