package apppassword

import "strings"

// protocol is one way in that a password alone could be used for.
type protocol struct {
	id, name string
	client   string // as package access names clients
	app      string // the app that is signed in to; "" is any
	gone     string // why no app password works by it in any tenant; "" it may
}

// The protocols. Basic authentication of all but SMTP AUTH was switched off in
// 2022 and 2023 (contracts.md 9.1), and nothing brings it back.
var protocols = []protocol{
	{id: smtp, name: "SMTP AUTH", client: "other", app: exchange},
	{id: "imap", name: "IMAP", client: "other", app: exchange, gone: offSince},
	{id: "pop", name: "POP", client: "other", app: exchange, gone: offSince},
	{id: "activesync", name: "Exchange ActiveSync", client: "eas", app: exchange, gone: offSince},
	{id: "ews", name: "Exchange Web Services", client: "other", app: exchange, gone: offSince},
	{id: "outlook", name: "old Outlook (MAPI, RPC, Autodiscover, address book)", client: "other", app: exchange, gone: offSince},
	{id: "powershell", name: "Exchange Online PowerShell", client: "other", app: exchange,
		gone: "an app password opens no administration and no PowerShell"},
	{id: other, name: "other old clients", client: "other"},
}

const (
	smtp  = "smtp"
	other = "other"

	offSince = "Exchange Online takes no password by it: Microsoft switched that off in 2022 and 2023"
)

// protocolOf is the protocol that a clientAppUsed names; what names none is other.
func protocolOf(client string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(client))
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(name, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("smtp"):
		return smtp
	case has("imap"):
		return "imap"
	case has("pop3") || strings.HasSuffix(name, "pop"):
		return "pop"
	case has("activesync") || name == "eas":
		return "activesync"
	case has("exchangewebservices") || strings.HasSuffix(name, "ews"):
		return "ews"
	case has("powershell"):
		return "powershell"
	case has("mapi", "outlook", "rpcoverhttp", "offlineaddressbook", "autodiscover", "reportingwebservices") || name == "oab":
		return "outlook"
	}
	return other
}

func nameOf(id string) string {
	for i := range protocols {
		if protocols[i].id == id {
			return protocols[i].name
		}
	}
	return id
}
