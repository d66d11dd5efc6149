package eam

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Window is how long after the redirect an answer is taken.
const Window = 5 * time.Minute

// skew is how far a provider's clock may be off.
const skew = 5 * time.Minute

// Factor types.
const (
	Knowledge  = "knowledge"
	Possession = "possession"
	Inherence  = "inherence"
)

// Requested are the acr and amr values of a request whose first factor was a
// password (contracts.md section 6.2).
func Requested() (acr, amr []string) {
	return []string{"possessionorinherence"},
		[]string{"face", "fido", "fpt", "hwk", "iris", "otp", "pop", "retina", "sc", "sms", "swk", "tel", "vbm"}
}

// TypeOf is the factor type of an amr value, or "".
func TypeOf(amr string) string {
	switch amr {
	case "face", "fpt", "iris", "retina", "vbm":
		return Inherence
	case "fido", "hwk", "otp", "pop", "sc", "sms", "swk", "tel":
		return Possession
	}
	return ""
}

// satisfies reports that a factor type answers an acr value: its name lists the
// types joined by "or".
func satisfies(acr, typ string) bool {
	switch acr {
	case "possessionorinherence", "knowledgeorpossession", "knowledgeorinherence", "knowledgeorpossessionorinherence", Knowledge, Possession, Inherence:
		return typ != "" && slices.Contains(strings.Split(acr, "or"), typ)
	}
	return false
}

// Expect is what an answer must say.
type Expect struct {
	Issuer   string // of the provider's discovery, character by character
	Audience string // client id, as configured
	Subject  string // the hint's sub
	Nonce    string
	ACR      []string // values requested
	AMR      []string
	First    string    // factor type of the first factor
	Begun    time.Time // of the redirect
	Now      time.Time
}

// claims are those of an answer. amr stays raw: one string is not an array.
type claims struct {
	Issuer   string          `json:"iss"`
	Audience json.RawMessage `json:"aud"`
	Subject  string          `json:"sub"`
	Nonce    string          `json:"nonce"`
	Expires  json.Number     `json:"exp"`
	Issued   json.Number     `json:"iat"`
	ACR      string          `json:"acr"`
	AMR      json.RawMessage `json:"amr"`
}

// Check judges the payload of an id_token whose signature fits. It gives "" to
// accept, else the reason to refuse (contracts.md section 6.3).
func Check(payload []byte, x Expect) string {
	var c claims
	if json.Unmarshal(payload, &c) != nil {
		return "the claims cannot be read"
	}
	if x.Now.Sub(x.Begun) >= Window {
		return "the answer came more than five minutes after the redirect"
	}
	if c.Issuer == "" || c.Issuer != x.Issuer {
		return "iss is not the provider's issuer"
	}
	if !audience(c.Audience, x.Audience) {
		return "aud is not the client id"
	}
	if c.Subject == "" || c.Subject != x.Subject {
		return "sub is not the one of the id_token_hint"
	}
	if c.Nonce == "" || c.Nonce != x.Nonce {
		return "nonce is not the one sent"
	}
	if r := timely(c, x.Now); r != "" {
		return r
	}
	return factor(c, x)
}

func audience(raw json.RawMessage, want string) bool {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one == want && want != ""
	}
	var list []string
	return json.Unmarshal(raw, &list) == nil && len(list) == 1 && list[0] == want && want != ""
}

func timely(c claims, now time.Time) string {
	exp, err := c.Expires.Float64()
	if err != nil || exp <= 0 || exp > 1e11 || !now.Before(time.Unix(int64(exp), 0).Add(skew)) {
		return "exp is absent or over"
	}
	iat, err := c.Issued.Float64()
	if err != nil || iat <= 0 || iat > 1e11 || time.Unix(int64(iat), 0).After(now.Add(skew)) {
		return "iat is absent or ahead"
	}
	if exp <= iat {
		return "exp is not after iat"
	}
	return ""
}

func factor(c claims, x Expect) string {
	if !slices.Contains(x.ACR, c.ACR) {
		return "acr is not one that was requested"
	}
	var amr []string
	if json.Unmarshal(c.AMR, &amr) != nil {
		return "amr is not an array of strings"
	}
	if len(amr) != 1 {
		return "amr does not hold exactly one value"
	}
	typ := TypeOf(amr[0])
	switch {
	case !slices.Contains(x.AMR, amr[0]) || typ == "":
		return "amr is not one that was requested"
	case typ == x.First:
		return "amr is of the same type as the first factor"
	case !satisfies(c.ACR, typ):
		return "amr does not satisfy acr"
	}
	return ""
}
