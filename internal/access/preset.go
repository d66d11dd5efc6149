package access

import (
	"encoding/json"

	"partnerguard/internal/entra"
)

// PartnerBaseline is a minimal set of policies that meets the partner rule:
// MFA for all users at all apps from everywhere by every client, and legacy
// authentication blocked outright. Only the directory synchronisation role is
// left out. A test proves it. The policies are enabled; [Export] writes them
// report-only.
func PartnerBaseline() []*Policy {
	stand := func(id, name string, clients []string, control string) *Policy {
		p := &Policy{ID: id, DisplayName: name, State: Enabled, GrantControls: &GrantControls{Operator: "OR", BuiltInControls: []string{control}}}
		p.Conditions.Users.IncludeUsers = []string{"All"}
		p.Conditions.Users.ExcludeRoles = []string{entra.RoleDirectorySync}
		p.Conditions.Applications.IncludeApplications = []string{"All"}
		p.Conditions.ClientAppTypes = clients
		return p
	}
	return []*Policy{
		stand("partner-baseline-1", "Partner baseline 1: require MFA for all users at every sign-in", []string{"all"}, "mfa"),
		stand("partner-baseline-2", "Partner baseline 2: block legacy authentication", []string{"exchangeActiveSync", "other"}, "block"),
	}
}

// Export writes policies as Graph request bodies for
// POST /identity/conditionalAccess/policies, in report-only form and without
// ids, as a Graph page that intake reads back.
func Export(policies []*Policy) ([]byte, error) {
	type users struct {
		IncludeUsers []string `json:"includeUsers"`
		ExcludeRoles []string `json:"excludeRoles"`
	}
	type apps struct {
		IncludeApplications []string `json:"includeApplications"`
	}
	type body struct {
		DisplayName string `json:"displayName"`
		State       State  `json:"state"`
		Conditions  struct {
			Users          users    `json:"users"`
			Applications   apps     `json:"applications"`
			ClientAppTypes []string `json:"clientAppTypes"`
		} `json:"conditions"`
		GrantControls struct {
			Operator        string   `json:"operator"`
			BuiltInControls []string `json:"builtInControls"`
		} `json:"grantControls"`
	}
	page := struct {
		Context string `json:"@odata.context"`
		Value   []body `json:"value"`
	}{Context: entra.Graph + "/v1.0/$metadata#identity/conditionalAccess/policies", Value: []body{}}
	for _, p := range policies {
		var b body
		b.DisplayName, b.State = p.DisplayName, ReportOnly
		b.Conditions.Users = users{p.Conditions.Users.IncludeUsers, p.Conditions.Users.ExcludeRoles}
		b.Conditions.Applications = apps{p.Conditions.Applications.IncludeApplications}
		b.Conditions.ClientAppTypes = p.Conditions.ClientAppTypes
		b.GrantControls.Operator = string(p.GrantControls.Operator)
		b.GrantControls.BuiltInControls = p.GrantControls.BuiltInControls
		page.Value = append(page.Value, b)
	}
	return json.MarshalIndent(page, "", "  ")
}
