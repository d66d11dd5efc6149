package directory

import "strings"

// WayOut is one step that would bring an account into line.
type WayOut struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// The ways out. Each names one thing a person can do. Several share an id,
// because what is to be done is the same and only its words differ.
var (
	WayRegister = WayOut{"register", "register a method: Microsoft Authenticator, a passkey or a TOTP app; without a phone partnerguard otp on the " +
		"desktop, or External MFA of your own"}
	WayGuest   = WayOut{"register", "guests register in this tenant, or trust the MFA of their home tenant in cross-tenant access settings"}
	WayTOTP    = WayOut{"totp_secured_desktop", "where phones are not allowed: a TOTP app on a secured desktop (partnerguard otp), or External MFA of your own"}
	WayKey     = WayOut{"security_key", "a FIDO2 security key, one per person"}
	WayTwoKeys = WayOut{"security_key", "two FIDO2 security keys kept apart; a break-glass account may use another method, but not none"}
	WaySAM     = WayOut{"secure_application_model",
		"move the script to the Secure Application Model or its own service principal, then disable the account"}
	WayAppPassword = WayOut{"app_password", "only where per-user MFA is on and the tenant still allows it: an app password for the device; it carries " +
		"no MFA claim, so put partnerguard bridge before the device, replace it or relay its mail"}
	WayUpgrade = WayOut{"client_upgrade", `upgrade the mail client: Outlook 2013 SP1 or later, on 2013 with EnableADAL=1 and Version=1 under HKCU\SOFTWARE\Microsoft\Office\15.0\Common\Identity`}
	WayRequire = WayOut{"require_mfa", "require MFA for this account in every policy: no exclusion, no trusted location, no remembered device"}
	WayRoom    = WayOut{"block_sign_in", "a room cannot answer a challenge: block interactive sign-in to it, or move the room out of the partner tenant"}
	WayMailbox = WayOut{"block_sign_in", "block sign-in to the mailbox's account: a shared mailbox is opened by those it is shared with, under " +
		"their own accounts"}
	WayAgent = WayOut{"review_agent", "review the agent's user account: who is responsible for it, whether it is needed, and what its policies " +
		"ask for; nobody is there to answer a challenge"}
	WayExternalMFA = WayOut{"external_mfa", "move the provider from the custom control to External MFA: custom controls never yield an MFA claim, " +
		"cannot be added or edited since September 2026, and end early in 2027"}
	WayConsentAgain = WayOut{"consent_again", "consent again with MFA: sign in to the integration once more with a fresh MFA prompt, so that its new " +
		"refresh token carries the claim"}
	WayLeaveSync = WayOut{"exclude_sync_role", "leave the role Directory Synchronization Accounts out of the policy: synchronisation cannot answer, and " +
		"the contract does not ask it of that account"}
	WayOtherFlow    = WayOut{"interactive_sign_in", "sign in interactively or by a broker instead of the device code flow; scripts use a service principal"}
	WayReviewPolicy = WayOut{"review_policy", "the proposed settings are weaker here than today's: review the exclusions and conditions that open it"}
)

// wayWords are the steps in two or three words, by id.
var wayWords = map[string]string{
	"register": "register a method", "totp_secured_desktop": "TOTP on a secured desktop", "security_key": "security key",
	"secure_application_model": "Secure Application Model", "app_password": "app password or mail relay", "client_upgrade": "client upgrade",
	"require_mfa": "require MFA by policy", "block_sign_in": "block sign-in", "review_agent": "review the agent", "external_mfa": "External MFA",
	"consent_again": "consent again with MFA", "exclude_sync_role": "leave the synchronisation role out of the policy",
	"interactive_sign_in": "interactive sign-in", "review_policy": "review the policy",
}

// WayWord is a way out in two or three words, by its id; "" for an id that is
// none.
func WayWord(id string) string { return wayWords[id] }

// Needs says what stands between an account and MFA.
type Needs struct {
	Class        Class
	Mailbox      bool // the shared account is a mailbox, by its userPurpose
	Unregistered bool // no method that could answer a challenge
	Password     bool // signs in by the password grant
	OldMail      bool // an old mail client
	Device       bool // another legacy protocol, as printers and scanners use
	Covered      bool // the settings already ask for MFA: nothing to require
}

// WaysOut lists the ways out for an account, most specific first.
func WaysOut(n Needs) []WayOut {
	ways := []WayOut{}
	switch n.Class { // accounts that no person sits at: a demand for MFA would only break them
	case ClassResource:
		return append(ways, WayRoom)
	case ClassAgent:
		return append(ways, WayAgent)
	case ClassDirectorySync:
		return append(ways, WayLeaveSync)
	}
	service := n.Class == ClassService || n.Password
	switch {
	case service && n.Device && !n.Password:
		ways = append(ways, WayAppPassword)
	case service:
		ways = append(ways, WaySAM)
	}
	if n.Mailbox {
		return append(ways, WayMailbox)
	}
	if n.OldMail {
		ways = append(ways, WayUpgrade)
	}
	if n.Device && !service {
		ways = append(ways, WayAppPassword)
	}
	if n.Class == ClassBreakGlass {
		ways = append(ways, WayTwoKeys)
	} else if n.Unregistered && !service {
		switch n.Class {
		case ClassShared:
			ways = append(ways, WayTOTP, WayKey)
		case ClassGuest:
			ways = append(ways, WayGuest)
		default:
			ways = append(ways, WayRegister)
		}
	}
	if !service && !n.Covered {
		ways = append(ways, WayRequire)
	}
	return ways
}

// OldMailClient reports a legacy client name that an old Outlook or mail app
// shows up under, as opposed to a device or script.
func OldMailClient(clientAppUsed string) bool {
	c := strings.ToLower(clientAppUsed)
	for _, part := range []string{"outlook", "mapi", "exchange web services", "autodiscover", "offline address book", "exchange activesync"} {
		if strings.Contains(c, part) {
			return true
		}
	}
	return false
}
