package capture

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

// kidOf reads which key signed a token, to ask for that key. Nothing is
// believed of it: verification looks for itself.
func kidOf(raw secret.Text) string {
	var head struct {
		Kid string `json:"kid"`
	}
	if !part(raw, 0, &head) || len(head.Kid) > 256 {
		return ""
	}
	return head.Kid
}

// idpOf reads the identity provider of a verified id token: Entra ID names it
// only when it is not the token's own tenant (contracts.md section 4.4).
func idpOf(raw secret.Text) string {
	var body struct {
		IDP string `json:"idp"`
	}
	if !part(raw, 1, &body) {
		return "unreadable"
	}
	return body.IDP
}

func part(raw secret.Text, n int, to any) bool {
	text := raw.Reveal()
	if len(text) > claim.MaxSize {
		return false
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[n])
	return err == nil && json.Unmarshal(b, to) == nil
}
