package signin

import "strings"

// legacyClients are the clientAppUsed values of protocols that cannot carry
// MFA (contracts.md section 9.1), folded by foldClient. Logs of before 2020 and
// portal exports write some of them otherwise: those are in the last lines.
var legacyClients = map[string]bool{
	"authenticatedsmtp": true, "smtp": true, "autodiscover": true,
	"exchangeactivesync": true, "exchangeonlinepowershell": true,
	"exchangewebservices": true, "imap4": true, "imap": true, "pop3": true,
	"pop": true, "mapioverhttp": true, "offlineaddressbook": true,
	"outlookanywhererpcoverhttp": true, "outlookanywhere": true,
	"outlookservice": true, "reportingwebservices": true,
	"universaloutlook": true, "otherclients": true, "othersupportedclients": true,

	"authsmtp": true, "smtpauth": true, "activesync": true, "eas": true, "ews": true, "oab": true, "rpcoverhttp": true,
	"mapi": true, "mapihttp": true, "exchangepowershell": true, "olderofficeclients": true, "legacyauthenticationclients": true,
}

// legacyPrefixes begin the names of whole families: "Other clients; SMTP",
// "Other clients; Older Office clients", "Exchange ActiveSync (unsupported)".
var legacyPrefixes = [...]string{"otherclient", "otherlegacy", "legacyauth", "exchangeactivesync"}

const longestClient = 64

// foldClient drops case, spaces and punctuation into buf. Of longer names it
// folds the beginning only.
func foldClient(buf *[longestClient]byte, s string) []byte {
	n := 0
	for i := 0; i < len(s) && i < longestClient; i++ {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		default:
			continue
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

// IsLegacyClient reports whether clientAppUsed names a legacy protocol, also in
// the older spellings: a family and its protocol behind a semicolon, a remark
// in brackets. Case, spaces and punctuation do not matter. Empty, "Unknown" and
// names we do not know are not legacy; empty is not modern either, it is
// unknown (contracts.md section 9.1).
func IsLegacyClient(clientAppUsed string) bool {
	switch clientAppUsed { // nearly every row
	case "", "Browser", "Mobile Apps and Desktop clients":
		return false
	}
	var buf [longestClient]byte
	folded := foldClient(&buf, clientAppUsed)
	if len(clientAppUsed) <= longestClient && legacyClients[string(folded)] {
		return true
	}
	for _, p := range legacyPrefixes {
		if len(folded) >= len(p) && string(folded[:len(p)]) == p {
			return true
		}
	}
	if i := strings.IndexAny(clientAppUsed, "(;"); i > 0 && i <= longestClient {
		return legacyClients[string(foldClient(&buf, clientAppUsed[:i]))]
	}
	return false
}
