package renew

import (
	"encoding/pem"
	"testing"
)

// Digests of "certificate", by another program.
const (
	sha1Hex      = "735ad571c189d7ba84464bf4a9f1d2280175b128"
	sha1Capitals = "735AD571C189D7BA84464BF4A9F1D2280175B128"
	sha1Base64   = "c1rVccGJ17qERkv0qfHSKAF1sSg="
	sha256Hex    = "03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72"
	sha256Base64 = "A9Zt0Ig1wco/EozOrNHzGslBYwlrIPRFroQoW8CDLXI="
)

// Graph names a certificate by its SHA-1 or SHA-256, in base64 or hex; anything
// else says nothing of whose it is.
func TestIsOurs(t *testing.T) {
	t.Parallel()
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("certificate")}))
	for name, c := range map[string]struct {
		cert, identifier string
		want             bool
	}{
		"another's":       {cert, "ZY/sKbVmHVFQ1y+oRgeI80RIEQY=", false},
		"SHA-1, hex":      {cert, sha1Hex, true},
		"SHA-1, capitals": {cert, sha1Capitals, true},
		"SHA-1 in base64": {cert, sha1Base64, true},
		"SHA-256 in hex":  {cert, sha256Hex, true},
		"SHA-256, base64": {cert, sha256Base64, true},
		"none":            {cert, "", false},
		"of somebody's":   {cert, "our key of 2026", false},
		"no certificate":  {"", sha1Hex, false},
		"not PEM":         {"x", sha1Hex, false},
	} {
		if got := isOurs(c.cert, c.identifier); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
