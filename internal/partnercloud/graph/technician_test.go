package graph

import (
	"strings"
	"testing"
)

// Work by GDAP stands in the customer's audit log as that of a technician, who is
// found in the partner's directory by the object id in the name.
func TestTechniciansInACustomersAuditLog(t *testing.T) {
	l := newLab(t)
	tok := l.aobo(agent, freeID, everything())
	l.do("PATCH", "/v1.0/users/cccccccc-0000-4000-8000-000000000009", tok, `{"jobTitle":"x"}`).want(204)
	rows := l.get("/v1.0/auditLogs/directoryAudits?$filter=startsWith(initiatedBy/user/userPrincipalName,'user_')",
		l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())).rows()
	if len(rows) != 1 {
		t.Fatalf("%d rows of technicians", len(rows))
	}
	by := inner(inner(rows[0], "initiatedBy"), "user")
	if str(by, "displayName") != "Contoso Cloud Partners Technician" || str(by, "userPrincipalName") != "user_aaaaaaaa000040008000000000000006@free.example" {
		t.Errorf("%v", by)
	}
	hexa, _, _ := strings.Cut(strings.TrimPrefix(str(by, "userPrincipalName"), "user_"), "@")
	id := hexa[:8] + "-" + hexa[8:12] + "-" + hexa[12:16] + "-" + hexa[16:20] + "-" + hexa[20:]
	if got := l.get("/v1.0/users/"+id, l.admin()).want(200).body; str(got, "userPrincipalName") != "agent@contoso.com" {
		t.Errorf("the technician is %v", got)
	}
	// At home they are who they are.
	l.do("PATCH", "/v1.0/users/"+plain, l.admin(), `{"jobTitle":"x"}`).want(204)
	rows = l.get("/v1.0/auditLogs/directoryAudits?$filter=startsWith(initiatedBy/user/userPrincipalName,'user_')", l.admin()).rows()
	if len(rows) != 0 {
		t.Errorf("technicians at home: %v", rows)
	}
}
