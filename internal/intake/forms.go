package intake

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
)

// form brings the members of a record from the names and values that other
// modules and portals use to those of Microsoft Graph. It reports whether it
// changed anything, and why the record is not in force, if it is not.
type form func(ms *[]member) (changed bool, why string)

var forms = map[evidence.Kind]form{
	evidence.User:                    userForm,
	evidence.Group:                   renamed("objectid id", "object_id id", "display_name displayName"),
	evidence.DirectoryRole:           renamed("objectid id"),
	evidence.Application:             renamed("objectid id"),
	evidence.ServicePrincipal:        renamed("objectid id"),
	evidence.SubscribedSku:           renamed("objectid id"),
	evidence.Organization:            renamed("objectid id"),
	evidence.NamedLocation:           renamed("odatatype @odata.type"), // the AzureAD module
	evidence.ConditionalAccessPolicy: policyForm,
	evidence.Relationship:            relationshipForm,
	evidence.PerUserMFA:              perUserForm,
}

// formReads are the members, in lower case, without which a form changes
// nothing; formAlways the kinds whose form looks at every record.
var formReads = map[evidence.Kind]map[string]bool{
	evidence.User: nameSet(`objectid object_id user_principal_name display_name whencreated when_created dirsyncenabled directorysynced userstate
		invitationstate user_type account_enabled blockcredential block_credential softdeletiontimestamp soft_deletion_time_stamp deleteddatetime
		lastdirsynctime last_dirsync_time strongauthenticationrequirements`),
	evidence.Group:            nameSet("objectid object_id display_name"),
	evidence.DirectoryRole:    nameSet("objectid"),
	evidence.Application:      nameSet("objectid"),
	evidence.ServicePrincipal: nameSet("objectid"),
	evidence.SubscribedSku:    nameSet("objectid"),
	evidence.Organization:     nameSet("objectid"),
	evidence.NamedLocation:    nameSet("odatatype"),
}

var formAlways = map[evidence.Kind]bool{
	evidence.ConditionalAccessPolicy: true, evidence.Relationship: true, evidence.PerUserMFA: true,
}

// find is the index of the member called low, or -1.
func find(ms []member, low string) int {
	for i := range ms {
		if l := ms[i].low(); l == low || strings.ReplaceAll(l, " ", "_") == low {
			return i
		}
	}
	return -1
}

// textOf is the text of a member, trimmed, or "".
func textOf(ms []member, low string) string {
	i := find(ms, low)
	if i < 0 || ms[i].val[0] != '"' {
		return ""
	}
	return strings.TrimSpace(text.Unquote(ms[i].val))
}

// says reports that a member is there and not null or an empty text.
func says(ms []member, low string) bool {
	i := find(ms, low)
	return i >= 0 && ms[i].val[0] != 'n' && len(ms[i].val) > 2
}

// put sets a member, which replaces one of the same name.
func put(ms *[]member, name string, val []byte) {
	if i := find(*ms, strings.ToLower(name)); i >= 0 {
		(*ms)[i].val = val
		return
	}
	*ms = append(*ms, member{text.Quote(name), val})
}

// rename gives the member called from the name to, unless that one says
// something already.
func rename(ms *[]member, from, to string) bool {
	i := find(*ms, from)
	if i < 0 || says(*ms, strings.ToLower(to)) || (*ms)[i].val[0] == '{' { // an object is another thing of the same name
		return false
	}
	if old := find(*ms, strings.ToLower(to)); old >= 0 {
		(*ms)[old].val = (*ms)[i].val
		return true
	}
	(*ms)[i].key = text.Quote(to)
	return true
}

// renamed is a form that only renames: "from to".
func renamed(pairs ...string) form {
	return func(ms *[]member) (changed bool, why string) {
		for _, pair := range pairs {
			from, to, _ := strings.Cut(pair, " ")
			changed = rename(ms, from, to) || changed
		}
		return changed, ""
	}
}

var userNames = renamed("objectid id", "object_id id", "user_principal_name userPrincipalName", "display_name displayName",
	"whencreated createdDateTime", "when_created createdDateTime", "dirsyncenabled onPremisesSyncEnabled", "directorysynced onPremisesSyncEnabled",
	"userstate externalUserState", "invitationstate externalUserState", "user_type userType", "account_enabled accountEnabled")

// userForm reads users of the MSOnline and AzureAD modules, of the portal's
// table and of the Microsoft 365 admin centre's.
func userForm(ms *[]member) (changed bool, why string) {
	for _, gone := range []string{"softdeletiontimestamp", "soft_deletion_time_stamp", "deleteddatetime"} {
		if says(*ms, gone) {
			return false, "deleted users, who cannot sign in"
		}
	}
	changed, _ = userNames(ms)
	for _, name := range []string{"blockcredential", "block_credential"} {
		i := find(*ms, name)
		if i < 0 || says(*ms, "accountenabled") {
			continue
		}
		blocked := lenient.ParseBool(strings.Trim(string((*ms)[i].val), `"`))
		if !blocked.Set && says(*ms, name) {
			put(ms, "accountEnabled", (*ms)[i].val) // a word that is not known is said by the reader of accountEnabled
		} else if blocked.Set {
			put(ms, "accountEnabled", boolJSON(!blocked.Value))
		}
		changed = true
	}
	if i := find(*ms, "usertype"); i >= 0 {
		switch string((*ms)[i].val) {
		case "0", `"0"`:
			(*ms)[i].val, changed = []byte(`"Member"`), true
		case "1", `"1"`:
			(*ms)[i].val, changed = []byte(`"Guest"`), true
		case "2", `"2"`: // Viral: a self-service sign-up, which is a member
			(*ms)[i].val, changed = []byte(`"Member"`), true
		}
	}
	for _, name := range []string{"lastdirsynctime", "last_dirsync_time"} {
		if says(*ms, name) && !says(*ms, "onpremisessyncenabled") {
			put(ms, "onPremisesSyncEnabled", boolJSON(true))
			changed = true
		}
	}
	if i := find(*ms, "strongauthenticationrequirements"); i >= 0 && !says(*ms, "perusermfastate") {
		if state := requirementState((*ms)[i].val); state != "" {
			put(ms, "perUserMfaState", text.Quote(state))
			changed = true
		}
	}
	return changed, ""
}

func boolJSON(b bool) []byte {
	if b {
		return []byte("true")
	}
	return []byte("false")
}

// requirementState reads StrongAuthenticationRequirements of the MSOnline
// module: an empty list is the state disabled. It is "" when it is not known.
func requirementState(raw []byte) string {
	var list lenient.List[struct{ State lenient.String }]
	if json.Unmarshal(raw, &list) != nil || !list.Set || list.Dropped > 0 {
		return ""
	}
	state := "disabled"
	for _, r := range list.Items {
		if state = perUserState(string(r.State)); state == "" {
			return ""
		}
	}
	return state
}

// perUserState brings a word for a per-user MFA state to Graph's, or gives "".
func perUserState(word string) string {
	switch low := strings.ToLower(strings.TrimSpace(word)); low {
	case "enabled", "enforced", "disabled":
		return low
	}
	return ""
}

// perUserForm reads one row of a list of per-user MFA states.
func perUserForm(ms *[]member) (changed bool, why string) {
	renamed("objectid id", "object_id id", "user_id id", "userid id", "user_principal_name userPrincipalName", "upn userPrincipalName",
		"username userPrincipalName", "user_name userPrincipalName", "mfastatus perUserMfaState", "mfa_status perUserMfaState",
		"mfastate perUserMfaState", "mfa_state perUserMfaState", "multi-factor_auth_status perUserMfaState",
		"multi-factor_authentication_status perUserMfaState", "per-user_mfa perUserMfaState", "per-user_mfa_state perUserMfaState")(ms)
	state := perUserState(textOf(*ms, "perusermfastate"))
	if state == "" {
		return false, "a row without a per-user MFA state that is known (disabled, enabled, enforced)"
	}
	put(ms, "perUserMfaState", text.Quote(state))
	return true, ""
}
