package intake

import (
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
	"partnerguard/internal/pattern"
)

var guid = pattern.Later(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

var relationshipNames = renamed("relationshipid id", "relationship_id id", "relationshipname displayName", "relationship_name displayName",
	"autoextend autoExtendDuration", "auto_extend autoExtendDuration", "enddate endDateTime", "end_date endDateTime", "expirydate endDateTime",
	"expiry_date endDateTime", "expirationdate endDateTime", "expiration_date endDateTime", "activateddate activatedDateTime",
	"start_date activatedDateTime", "startdate activatedDateTime", "relationshipstatus status", "relationship_status status")

// relationshipForm reads delegated admin relationships as flat tables have
// them: objects as JSON in a cell, the customer in columns of its own, roles by
// name, spans of time as .NET prints them.
func relationshipForm(ms *[]member) (changed bool, why string) {
	changed, _ = relationshipNames(ms)
	for _, name := range []string{"customer", "accessdetails"} {
		i := find(*ms, name)
		if i < 0 || (*ms)[i].val[0] != '"' {
			continue
		}
		if inner := text.ObjectInText((*ms)[i].val); inner != nil {
			(*ms)[i].val, changed = inner, true
		} else if !lenient.TypeName(text.Unquote((*ms)[i].val)) {
			(*ms)[i].val, changed = []byte("null"), true
		}
	}
	for _, name := range []string{"duration", "autoextendduration"} {
		if i := find(*ms, name); i >= 0 && (*ms)[i].val[0] == '"' {
			if span, ok := netSpan(text.Unquote((*ms)[i].val)); ok {
				(*ms)[i].val, changed = text.Quote(span), true
			}
		}
	}
	if !says(*ms, "customer") {
		tenant, name := firstText(*ms, "customertenantid", "customer_tenant_id", "customerid", "customer_id"), firstText(*ms, "customername",
			"customer_name", "customerdisplayname")
		if tenant != "" || name != "" {
			put(ms, "customer", writeMembers(nil, []member{{[]byte(`"tenantId"`), text.Quote(tenant)}, {[]byte(`"displayName"`), text.Quote(name)}}))
			changed = true
		}
	}
	if roles := firstText(*ms, "roles", "unifiedroles", "entra_roles", "entraroles", "azuread_roles", "azureadroles",
		"microsoft_entra_roles"); roles != "" && !says(*ms, "accessdetails") {
		put(ms, "accessDetails", rolesJSON(roles))
		changed = true
	}
	return changed, ""
}

func firstText(ms []member, names ...string) string {
	for _, n := range names {
		if t := textOf(ms, n); t != "" {
			return t
		}
	}
	return ""
}

// rolesJSON writes roles that are given by id or by name as accessDetails. A
// name that is not a built-in role's stands as an empty id, so that the roles
// are known to be incomplete.
func rolesJSON(list string) []byte {
	type role struct {
		ID string `json:"roleDefinitionId"`
	}
	var roles []role
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(";,|\n", r) }) {
		switch name = strings.TrimSpace(name); {
		case name == "":
		case guid.MatchString(name):
			roles = append(roles, role{strings.ToLower(name)})
		default:
			roles = append(roles, role{roleIDs[strings.ToLower(name)]})
		}
	}
	b, _ := json.Marshal(map[string][]role{"unifiedRoles": roles}) // texts always can
	return b
}

// netSpan reads a span of time as .NET prints it, [d.]hh:mm:ss, and gives it as
// an ISO 8601 duration.
func netSpan(s string) (string, bool) {
	var d, h, m, sec int
	switch strings.Count(s, ":") {
	case 2:
	default:
		return "", false
	}
	if n, err := fmt.Sscanf(s, "%d.%d:%d:%d", &d, &h, &m, &sec); err != nil || n != 4 {
		d = 0
		if n, err := fmt.Sscanf(s, "%d:%d:%d", &h, &m, &sec); err != nil || n != 3 {
			return "", false
		}
	}
	return isoDuration(float64(d)*86400 + float64(h)*3600 + float64(m)*60 + float64(sec)), true
}

// policyWords may stand among the ids of a policy's lists.
var policyWords = nameSet(`all none guestsorexternalusers office365 microsoftadminportals allagentidresources alltrusted
	urn:user:registersecurityinfo urn:user:registerdevice`)

// joinable are the lists of a policy, in lower case, whose values are words
// without spaces.
var joinable = nameSet(`clientapptypes builtincontrols signinrisklevels userrisklevels insiderrisklevels includeplatforms excludeplatforms
	transfermethods allowedcombinations`)

// joinedIDs are the lists of a policy, in lower case, whose values are ids.
var joinedIDs = nameSet(`includeusers excludeusers includegroups excludegroups includeroles excluderoles includeapplications excludeapplications
	includelocations excludelocations includeuseractions termsofuse members`)

// policyForm takes the lists apart that ConvertTo-Json, at its depth, joins
// with spaces: "id id" would be an id that nobody has.
func policyForm(ms *[]member) (changed bool, why string) {
	for i := range *ms {
		if low := (*ms)[i].low(); low == "conditions" || low == "grantcontrols" {
			if v, did := splitJoined((*ms)[i].val, low, 0); did {
				(*ms)[i].val, changed = v, true
			}
		}
	}
	return changed, ""
}

func splitJoined(raw []byte, name string, depth int) (out []byte, changed bool) {
	if depth > 8 {
		return raw, false
	}
	switch raw[0] {
	case '{':
		var ms []member
		text.Members(raw, func(k, v []byte) bool {
			m := member{k, v}
			did := false
			m.val, did = splitJoined(v, m.low(), depth+1)
			changed = changed || did
			ms = append(ms, m)
			return true
		})
		if changed {
			return writeMembers(nil, ms), true
		}
	case '"':
		parts := strings.Fields(text.Unquote(raw))
		if len(parts) < 2 || !joinable[name] && !joinedIDs[name] {
			return raw, false
		}
		for _, p := range parts {
			if joinedIDs[name] && !guid.MatchString(p) && !policyWords[strings.ToLower(p)] || strings.Contains(p, ",") {
				return raw, false
			}
		}
		b, err := json.Marshal(parts)
		return b, err == nil
	}
	return raw, false
}
