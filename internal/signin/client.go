package signin

import "strings"

// legacyClients are the clientAppUsed values of protocols that cannot carry
// MFA (contracts.md section 9.1), folded by foldClient.
var legacyClients = map[string]bool{
	"authenticatedsmtp": true, "smtp": true, "autodiscover": true,
	"exchangeactivesync": true, "exchangeonlinepowershell": true,
	"exchangewebservices": true, "imap4": true, "imap": true, "pop3": true,
	"pop": true, "mapioverhttp": true, "offlineaddressbook": true,
	"outlookanywhererpcoverhttp": true, "outlookanywhere": true,
	"outlookservice": true, "reportingwebservices": true,
	"universaloutlook": true, "otherclients": true, "othersupportedclients": true,
}

const longestClient = 64

// longestProgram bounds what is kept of a user agent.
const longestProgram = 80

// programOf gives the user agent of a program. Browsers and the apps that show
// pages in one begin with "Mozilla/" and give nothing; PowerShell does too, and
// its own part is what is given.
func programOf(agent string) string {
	if len(agent) >= 8 && equalFold(agent[:8], "Mozilla/") {
		i := strings.Index(agent, "WindowsPowerShell/")
		if i < 0 {
			i = strings.Index(agent, "PowerShell/")
		}
		if i < 0 {
			return ""
		}
		agent = agent[i:]
	}
	if len(agent) > longestProgram {
		agent = agent[:longestProgram]
	}
	return agent
}

// foldClient drops case, spaces and punctuation into buf; ok is false for
// names too long to be one of ours.
func foldClient(buf *[longestClient]byte, s string) (folded []byte, ok bool) {
	if len(s) > longestClient {
		return nil, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
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
	return buf[:n], true
}

// IsLegacyClient reports whether clientAppUsed names a legacy protocol. Case,
// spaces and punctuation do not matter. Empty, "Unknown" and names we do not
// know are not legacy; empty is not modern either, it is unknown
// (contracts.md section 9.1).
func IsLegacyClient(clientAppUsed string) bool {
	switch clientAppUsed { // nearly every row
	case "", "Browser", "Mobile Apps and Desktop clients":
		return false
	}
	var buf [longestClient]byte
	folded, ok := foldClient(&buf, clientAppUsed)
	return ok && legacyClients[string(folded)]
}
