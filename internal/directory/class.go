package directory

import "strings"

// Class says what kind of account it is. Classes derived from names are
// candidates for a person to confirm; they never excuse an account.
type Class string

// The classes, in the order they are tried.
const (
	ClassDisabled      Class = "disabled"              // accountEnabled is false: out of scope
	ClassDirectorySync Class = "directory_sync"        // the Entra Connect account: not asked for MFA
	ClassGuest         Class = "guest"                 // B2B
	ClassBreakGlass    Class = "break_glass_candidate" // emergency access by its look: in scope
	ClassService       Class = "service"               // a script signing in as a user: in scope
	ClassShared        Class = "shared"                // front desk, mailbox, kiosk: in scope
	ClassMember        Class = "member"
	ClassUnknown       Class = "unknown" // known from the log alone
)

// InScope reports whether the requirement binds accounts of the class: every
// enabled user but the directory synchronisation account (contracts.md 1.2).
func (c Class) InScope() bool { return c != ClassDisabled && c != ClassDirectorySync }

// Signs are what is known about an account beyond its user object.
type Signs struct {
	Roles    []HeldRole
	Excluded bool // named in the exclusions of an enforced Conditional Access policy
	ROPC     bool // signs in by the password grant
}

// Classify names the class of an account. u may lack everything but a name.
func Classify(u *User, s Signs) Class {
	switch {
	case u.AccountEnabled.False():
		return ClassDisabled
	case isSyncAccount(u, s.Roles):
		return ClassDirectorySync
	case strings.EqualFold(string(u.UserType), "guest") || strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#"):
		return ClassGuest
	}
	local, _, _ := strings.Cut(u.UserPrincipalName, "@")
	login := wordsOf(local)
	words := wordsOf(local, u.DisplayName)
	global := false
	for _, r := range s.Roles {
		global = global || r.TemplateID == GlobalAdministrator || strings.EqualFold(r.Name, "Global Administrator")
	}
	switch {
	case words.any("breakglass", "emergency", "firecall"), login.any("bg") && global, global && s.Excluded:
		return ClassBreakGlass
	case s.ROPC, login.any("svc", "service", "automation", "scanner", "printer", "copier", "backup", "noreply", "api", "script", "bot", "smtp", "integration", "sql", "runbook"), words["service"] && words["account"]:
		return ClassService
	case login.any("shared", "frontdesk", "front", "reception", "kiosk", "room", "info", "office", "warehouse", "mailbox", "helpdesk", "support"), words["shared"] && words["mailbox"]:
		return ClassShared
	case u.UserType == "" && !u.AccountEnabled.Set:
		return ClassUnknown
	}
	return ClassMember
}

// isSyncAccount asks the role first; the name counts only in the exact form
// Entra Connect gives it, so that nobody escapes by calling a user Sync_.
func isSyncAccount(u *User, roles []HeldRole) bool {
	for _, r := range roles {
		if r.TemplateID == DirectorySynchronizationAccounts {
			return true
		}
	}
	return strings.HasPrefix(u.UserPrincipalName, "Sync_") && u.DisplayName == "On-Premises Directory Synchronization Service Account"
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
