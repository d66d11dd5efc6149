package apppassword

import (
	"slices"

	"partnerguard/internal/directory"
)

// The ways out. What each needs is said, so that nobody begins one in vain.
var (
	oauthMail = Way{ID: "modern_auth", Text: "let the program sign in with OAuth (XOAUTH2), where its maker offers it",
		Needs: "a version that speaks it, and consent for its app; a person's account answers for MFA once"}
	relay = Way{ID: "mail_relay", Text: "relay through an Exchange Online connector, without an account",
		Needs: "a static public address or a certificate of the sending system, and a connector of Exchange Online"}
	highVolume = Way{ID: "high_volume_email", Text: "High Volume Email, for mail to recipients inside of the tenant",
		Needs: "an account of that kind, made in the Exchange admin center"}
	bridge = Way{ID: "mail_bridge", Text: "put partnerguard bridge before it: the device keeps its protocol, and XOAUTH2 goes upstream",
		Needs: "a machine beside the device, a connection of its own to Exchange Online, and one password of ours for each device"}
	graphMail = Way{ID: "graph", Text: "move the program to Microsoft Graph",
		Needs: "a change of the program, and an app of the tenant that is held to single mailboxes"}
	modernClient = Way{ID: "client_upgrade", Text: "upgrade the client to one with modern authentication: Outlook 2013 SP1 or later, or a mail app of today",
		Needs: "nothing of the tenant; on Outlook 2013 EnableADAL=1 and Version=1"}
	certificate = Way{ID: "certificate", Text: "connect with a certificate or a managed identity",
		Needs: "an app of the tenant with Exchange.ManageAsApp and a role of Exchange"}
	look = Way{ID: "find_client", Text: "find out which program it is: the log names no protocol", Needs: "the address and user agent of its sign-ins"}
)

// nearest are the ways out of each protocol, for an account that no person sits at,
// and for a person.
var nearest = map[string][2][]Way{
	smtp:         {{bridge, relay, highVolume, oauthMail, graphMail}, {oauthMail, bridge, relay}},
	"imap":       {{bridge, oauthMail, graphMail}, {modernClient, bridge}},
	"pop":        {{bridge, oauthMail, graphMail}, {modernClient, bridge}},
	"activesync": {{modernClient}, {modernClient}},
	"ews":        {{graphMail}, {modernClient, graphMail}},
	"outlook":    {{modernClient}, {modernClient}},
	"powershell": {{certificate}, {certificate}},
	other:        {{look, graphMail}, {look, modernClient}},
}

// waysOut are the ways out of what the log shows an account to use.
func waysOut(a *Account) []Way {
	out := []Way{}
	which := 1
	switch a.Class {
	case directory.ClassService, directory.ClassShared, directory.ClassResource, directory.ClassAgent:
		which = 0
	}
	var done []string
	for i := range a.Uses {
		p := a.Uses[i].Protocol
		if slices.Contains(done, p) {
			continue
		}
		done = append(done, p)
		for _, w := range nearest[p][which] {
			w.Protocol = p
			out = append(out, w)
		}
	}
	return out
}
