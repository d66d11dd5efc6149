package oauth

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// MaxClaims bounds the claims parameter.
const MaxClaims = 8 << 10

// Want is what the claims parameter asks of one claim.
type Want struct {
	Essential bool
	Values    []string // value and values together
}

// ClaimsRequest is a decoded claims parameter (OpenID Connect Core 5.5;
// contracts.md section 4.5). Claims that mean nothing here are kept by name.
type ClaimsRequest struct {
	IDToken     map[string]Want
	AccessToken map[string]Want
}

// ParseClaims reads a claims parameter; "" is an empty request. What is not an
// object of objects is refused; unknown claims are not.
func ParseClaims(text string) (*ClaimsRequest, *Fault) {
	out := &ClaimsRequest{IDToken: map[string]Want{}, AccessToken: map[string]Want{}}
	if text == "" {
		return out, nil
	}
	if len(text) > MaxClaims {
		return nil, Refuse(entra.CodeMalformed)
	}
	var raw struct {
		IDToken     map[string]json.RawMessage `json:"id_token"`
		AccessToken map[string]json.RawMessage `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, Refuse(entra.CodeMalformed)
	}
	for _, part := range []struct {
		from map[string]json.RawMessage
		to   map[string]Want
	}{{raw.IDToken, out.IDToken}, {raw.AccessToken, out.AccessToken}} {
		for name, v := range part.from {
			w, ok := want(v)
			if !ok {
				return nil, Refuse(entra.CodeMalformed)
			}
			part.to[name] = w
		}
	}
	return out, nil
}

func want(raw json.RawMessage) (Want, bool) {
	if string(raw) == "null" {
		return Want{}, true
	}
	var one struct {
		Essential bool              `json:"essential"`
		Value     json.RawMessage   `json:"value"`
		Values    []json.RawMessage `json:"values"`
	}
	if json.Unmarshal(raw, &one) != nil {
		return Want{}, false
	}
	w := Want{Essential: one.Essential}
	if len(one.Value) > 0 {
		one.Values = append(one.Values, one.Value)
	}
	for _, v := range one.Values {
		var s string
		if json.Unmarshal(v, &s) != nil {
			s = string(v) // numbers and booleans by their text
		}
		w.Values = append(w.Values, s)
	}
	return w, true
}

// CAE reports the client capability cp1, which any spelling of case may have.
func (c *ClaimsRequest) CAE() bool {
	return slices.ContainsFunc(c.AccessToken["xms_cc"].Values, func(v string) bool { return strings.EqualFold(v, "cp1") })
}

// MFA reports that MFA is asked for by the amr claim.
func (c *ClaimsRequest) MFA() bool {
	for _, m := range []map[string]Want{c.IDToken, c.AccessToken} {
		if slices.Contains(m["amr"].Values, "mfa") {
			return true
		}
	}
	return false
}

// Contexts lists the authentication contexts asked for: c1 to c99.
func (c *ClaimsRequest) Contexts() []string {
	var out []string
	for _, m := range []map[string]Want{c.AccessToken, c.IDToken} {
		for _, v := range m["acrs"].Values {
			if len(v) >= 2 && len(v) <= 3 && v[0] == 'c' && v[1] >= '1' && v[1] <= '9' && (len(v) == 2 || v[2] >= '0' && v[2] <= '9') &&
				!slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}
