package directory

import (
	"strings"

	"partnerguard/internal/entra"
)

// Class says what kind of account it is. Classes derived from names are
// candidates for a person to confirm; they never excuse an account.
type Class string

// The classes, in the order they are tried.
const (
	ClassDisabled      Class = "disabled"              // accountEnabled is false: out of scope
	ClassDirectorySync Class = "directory_sync"        // holds the role of the Entra Connect account and no other: not asked for MFA
	ClassAgent         Class = "agent"                 // an agent's user account, of no person: in scope
	ClassResource      Class = "resource"              // the account of a room or of equipment, by its mailbox: in scope
	ClassGuest         Class = "guest"                 // B2B
	ClassBreakGlass    Class = "break_glass_candidate" // emergency access by its look: in scope
	ClassService       Class = "service"               // a script signing in as a user: in scope
	ClassShared        Class = "shared"                // shared mailbox, front desk, kiosk: in scope
	ClassMember        Class = "member"
	ClassUnknown       Class = "unknown" // known from the log alone
)

// InScope reports whether the requirement binds accounts of the class: every
// enabled user but the directory synchronisation account (contracts.md 1.2).
func (c Class) InScope() bool { return c != ClassDisabled && c != ClassDirectorySync }

// Signs are what is known about an account beyond its user object.
type Signs struct {
	Roles []HeldRole
	// RolesPartly says that there is more of the role lists than was read, so that
	// the account may hold other roles too.
	RolesPartly bool
	Excluded    bool // left out of an enforced policy that asks for MFA, by id or through a group
	ROPC        bool // signs in by the password grant
}

// Classify names the class of an account. u may lack everything but a name.
func Classify(u *User, s Signs) Class {
	global, purpose := s.global(), u.Purpose()
	switch {
	case u.AccountEnabled.False():
		return ClassDisabled
	case s.MaySync() && !s.RolesPartly:
		return ClassDirectorySync
	case u.Agent():
		return ClassAgent
	// An administrator is never only a mailbox.
	case !global && (purpose == "room" || purpose == "equipment"):
		return ClassResource
	case !global && purpose == "shared":
		return ClassShared
	case strings.EqualFold(string(u.UserType), "guest"), strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#"),
		strings.EqualFold(u.CreationType.Value, "Invitation"), strings.EqualFold(string(u.ExternalUserState), "PendingAcceptance"):
		return ClassGuest
	}
	local, _, _ := strings.Cut(u.UserPrincipalName, "@")
	login := wordsOf(local)
	words := wordsOf(local, u.DisplayName)
	switch {
	case words.any(emergencyWords...), login.any("bg") && global, global && s.Excluded:
		return ClassBreakGlass
	case s.ROPC, login.any(serviceWords...), words["service"] && words["account"]:
		return ClassService
	case login.any(sharedWords...), words["shared"] && words["mailbox"]:
		return ClassShared
	case u.UserType == "" && !u.AccountEnabled.Set:
		return ClassUnknown
	}
	return ClassMember
}

// global reports a role of Global Administrator, held or to be activated.
func (s *Signs) global() bool {
	for _, r := range s.Roles {
		if r.TemplateID == entra.RoleGlobalAdministrator || strings.EqualFold(r.Name, "Global Administrator") {
			return true
		}
	}
	return false
}

// MaySync reports the directory synchronisation account, as far as roles were
// read: it holds the service's role now and no other role, now or on request.
// Names do not count, since anybody can be named so, and the role is no way out
// for an administrator.
func (s *Signs) MaySync() bool {
	for _, r := range s.Roles {
		if r.Eligible || !IsSyncRole(r.TemplateID) || r.Scoped || r.Custom || r.Sure == Perhaps && !r.ScopeOpen {
			return false
		}
	}
	return len(s.Roles) > 0
}

// NamedLikeSync reports the names that Entra Connect gives its account. They
// prove nothing; where roles are not known they tell whose role is wanted.
func NamedLikeSync(upn, displayName string) bool {
	const prefix = "Sync_"
	return len(upn) > len(prefix) && strings.EqualFold(upn[:len(prefix)], prefix) &&
		(displayName == "" || strings.EqualFold(displayName, "On-Premises Directory Synchronization Service Account"))
}

// What names say of the class of an account.
var (
	emergencyWords = []string{"breakglass", "emergency", "firecall"}
	serviceWords   = []string{"svc", "service", "automation", "scanner", "printer", "copier", "backup", "noreply", "api", "script", "bot", "smtp",
		"integration", "sql", "runbook"}
	sharedWords = []string{"shared", "frontdesk", "front", "reception", "kiosk", "room", "info", "office", "warehouse", "mailbox", "helpdesk", "support"}
)

// Kept is what a name says of the class of its account, and of nobody: for what stands in
// its place. "" is nothing; else, in this order, those of -emergency, -bg, -service, -shared,
// -account, -mailbox and #EXT# that apply. An account that goes by names with the same ends
// is of the same class, but where one word of two is in one of its names and the other in the other.
func Kept(name string) (end string) {
	local, _, login := strings.Cut(name, "@")
	w := wordsOf(local)
	add := func(is bool, word string) {
		if is {
			end += word
		}
	}
	add(w.any(emergencyWords...), "-emergency")
	add(login && w["bg"], "-bg")
	add(login && w.any(serviceWords...) || w["service"] && w["account"], "-service")
	add(login && w.any(sharedWords...) || w["shared"] && w["mailbox"], "-shared")
	add(!login && w["service"] && w["account"], "-account")
	add(!login && w["shared"] && w["mailbox"], "-mailbox")
	add(strings.Contains(strings.ToUpper(name), "#EXT#"), "#EXT#")
	return end
}

// words is the set of lower-case words in names.
type words map[string]bool

func wordsOf(names ...string) words {
	w := words{}
	for _, s := range names {
		for part := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool {
			return (r < 'a' || r > 'z') && r < 0x80
		}) {
			w[part] = true
		}
	}
	if w["break"] && w["glass"] {
		w["breakglass"] = true
	}
	return w
}

func (w words) any(list ...string) bool {
	for _, s := range list {
		if w[s] {
			return true
		}
	}
	return false
}
