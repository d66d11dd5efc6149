package sample_test

import (
	"encoding/json"
	"net/http"

	"partnerguard/internal/partnercloud/control"
)

// customers keeps, of some customers' own tenants, the audit log of the directory and who
// holds which role, as an administrator there exports them.
func (x *export) customers(domains ...string) {
	x.Helper()
	as := control.Dial(x.cloud.Info().Control, x.cloud.Info().ControlSecret)
	for _, domain := range domains {
		get := func(path string) (out page) {
			a, err := as.Graph(x.Context(), control.GraphCall{Method: http.MethodGet, Path: path, Tenant: domain})
			if err != nil || a.Status != http.StatusOK {
				x.Fatal(path, err, a.Status)
			}
			if x.decode(a.Body, &out); out.Next != "" {
				x.Fatalf("%s of %s does not fit a page", path, domain)
			}
			return out
		}
		var own struct{ ID string }
		x.decode(get("/v1.0/organization").Value[0], &own)
		for file, path := range map[string]string{
			"directoryAudits": "/v1.0/auditLogs/directoryAudits?$top=999",
			"roleAssignments": "/v1.0/roleManagement/directory/roleAssignments?$top=999",
			"roleDefinitions": "/v1.0/roleManagement/directory/roleDefinitions?$select=id,templateId,displayName,isBuiltIn",
		} {
			list := get(path)
			if list.Value == nil {
				list.Value = []json.RawMessage{}
			}
			x.write("customers/"+own.ID+"/"+file+".json", list)
		}
	}
}
