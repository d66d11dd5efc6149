package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/delegation/recommend"
)

// oddExport is one customer where somebody of the desk reset an ordinary user's password,
// with the customer's role assignments as they are given.
func oddExport(t *testing.T, assignments map[string]string) string {
	t.Helper()
	const who = "77777777-7777-4777-8777-777777777777"
	roles := `"unifiedRoles":[{"roleDefinitionId":"966707d0-3269-4727-9be2-8c3a10f19b9d"},{"roleDefinitionId":"7be44c8a-adaf-4e2a-84d6-ab2649e08a13"}]`
	row := func(at, upn string) string {
		return `{"id":"d` + at + `","category":"UserManagement","result":"success","activityDisplayName":"Reset user password","activityDateTime":"` + at +
			`","initiatedBy":{"user":{"id":"88888888-8888-4888-8888-888888888888","userPrincipalName":"` + upn + `"}},"targetResources":[{"type":"User",
			"id":"99999999-9999-4999-8999-999999999999","userPrincipalName":"ann@fabrikam.example"}]}`
	}
	files := map[string]string{
		"r.json": listJSON(`{"id":"` + relID + `","displayName":"Fabrikam","status":"active","activatedDateTime":"2026-01-02T00:00:00Z","customer":{"tenantId":"` +
			tenant + `","displayName":"Fabrikam"},"accessDetails":{` + roles + `},"accessAssignments":[{"id":"aa1","status":"active","accessContainer":{
			"accessContainerId":"` + deskID + `","accessContainerType":"securityGroup"},"accessDetails":{` + roles + `}}]}`),
		"groups.json": `[{"id":"` + deskID + `","displayName":"Desk","groupTypes":[],"securityEnabled":true,"members":[{"@odata.type":"#microsoft.graph.user","id":"` +
			who + `"}]}]`,
		"customers/" + tenant + "/directoryAudits.json": "[" + row("2026-08-01T00:00:00Z", "ann@fabrikam.example") + "," +
			row("2026-11-20T00:00:00Z", "user_"+strings.ReplaceAll(who, "-", "")) + "]",
	}
	for name, text := range assignments {
		files["customers/"+tenant+"/"+name] = text
	}
	return folder(t, files)
}

// TestEmptyAssignments: an empty list of role assignments is one, in whatever form, where its
// file's name says what it is; where nothing says so it is not known who was an administrator.
func TestEmptyAssignments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files map[string]string
		want  recommend.Sure
	}{
		{map[string]string{"roleAssignments.json": `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#roleManagement/directory/roleAssignments",
			"value":[]}`}, recommend.ByEvidence},
		{map[string]string{"roleAssignments.json": `{"value":[]}`}, recommend.ByEvidence},
		{map[string]string{"RoleAssignments-1.json": ` [ ] `}, recommend.ByEvidence},
		{map[string]string{"roleAssignments.json": `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/x"}`}, recommend.NoEvidence},
		{map[string]string{"roleAssignments.json": `{"error":{"code":"Authorization_RequestDenied","message":"no"}}`}, recommend.NoEvidence},
		{map[string]string{"roleAssignments.json": ``}, recommend.NoEvidence},
		{map[string]string{"assignments.json": `[]`}, recommend.NoEvidence},
		{nil, recommend.NoEvidence},
	} {
		res, err := app.DelegationRecommend(t.Context(), app.Reading{From: []string{oddExport(t, c.files)}}, app.RecommendQuestion{
			Now: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		it := res.Items[0]
		if !slices.Equal(it.Recommended, []string{"966707d0-3269-4727-9be2-8c3a10f19b9d"}) || len(it.Dropped) != 1 || it.Dropped[0].Sure != c.want {
			t.Errorf("%v: recommended %v, dropped %+v, want by %s", c.files, it.Recommended, it.Dropped, c.want)
		}
	}
}
