package claim

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"partnerguard/internal/secret"
)

// Part reads one part of a JWT, 0 its header and 1 its payload, as JSON into to: of a token
// that is verified, for what [Token] has no field for, or of one that is about to be. False
// is one that cannot be read.
func Part(raw secret.Text, n int, to any) bool {
	text := raw.Reveal()
	parts := strings.Split(text, ".")
	if len(text) > MaxSize || len(parts) != 3 {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[n])
	return err == nil && json.Unmarshal(b, to) == nil
}
