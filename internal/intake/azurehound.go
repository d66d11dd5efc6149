package intake

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// AzureHound lists directory objects with a kind of its own around each, and
// relations as lists of both ends. What Partnerguard judges of it is brought to
// Microsoft Graph's form.

// azureKinds are AzureHound's kinds whose data is Microsoft Graph's object.
var azureKinds = map[string]evidence.Kind{
	"azuser":                            evidence.User,
	"azgroup":                           evidence.Group,
	"azapp":                             evidence.Application,
	"azserviceprincipal":                evidence.ServicePrincipal,
	"azrole":                            evidence.RoleDefinition,
	"aztenant":                          evidence.Organization,
	"azroleeligibilityscheduleinstance": evidence.RoleEligibility,
}

// azureHound reads one element of an AzureHound file.
func (f *file) azureHound(raw []byte, p place) (taken bool, reason string, err error) {
	kind, data := strings.ToLower(text.Unquote(text.Member(raw, "kind"))), text.Member(raw, "data")
	if len(data) == 0 || data[0] != '{' {
		return false, azureHound + " without data", nil
	}
	if as, ok := azureKinds[kind]; ok {
		return true, "", f.emit(as, data, p)
	}
	switch kind {
	case "azgroupmember":
		var d struct {
			GroupID string `json:"groupId"`
			Members []struct{ Member json.RawMessage }
		}
		if json.Unmarshal(data, &d) != nil || d.GroupID == "" {
			return false, azureHound + " in a form that is not known", nil
		}
		group := map[string]any{"id": d.GroupID}
		list := []json.RawMessage{}
		for _, m := range d.Members {
			if len(m.Member) > 0 && m.Member[0] == '{' {
				list = append(list, m.Member)
			}
		}
		if len(list) == len(d.Members) { // else the members are not all known
			group["members"] = list
		}
		rec, err := json.Marshal(group)
		if err != nil {
			return false, azureHound + " in a form that is not known", nil
		}
		return true, "", f.emit(evidence.Group, rec, p)
	case "azroleassignment":
		var d struct {
			RoleDefinitionID string            `json:"roleDefinitionId"`
			Assignments      []json.RawMessage `json:"roleAssignments"`
		}
		if json.Unmarshal(data, &d) != nil {
			return false, azureHound + " in a form that is not known", nil
		}
		for _, a := range d.Assignments {
			if len(a) == 0 || a[0] != '{' {
				continue
			}
			rec := text.With(nil, "roleDefinitionId", text.Quote(d.RoleDefinitionID), a)
			if err := f.emit(evidence.RoleAssignment, rec, p); err != nil {
				return true, "", err
			}
		}
		if len(d.Assignments) == 0 {
			f.emptyList(evidence.RoleAssignment, "")
		}
		return true, "", nil
	}
	return false, azureHound + " of a kind that is not judged", nil
}
