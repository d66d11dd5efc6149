package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// asAdmin calls Graph as the partner's first Global Administrator, as "cloud graph"
// does: to prepare what a client is then given.
func asAdmin(t *testing.T, method, path string, body, into any) {
	t.Helper()
	asAdminOf(t, "", method, path, body, into)
}

// asAdminOf does so in a tenant; "" is the partner's.
func asAdminOf(t *testing.T, tenant, method, path string, body, into any) {
	t.Helper()
	args := []string{"cloud", "graph", method, path, "--control", os.Getenv(controlVar)}
	if tenant != "" {
		args = append(args, "--tenant", tenant)
	}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--body", string(b))
	}
	out, err := exec.Command(os.Getenv(binVar), args...).Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%s %s: %s", method, path, e.Stderr)
		}
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			t.Fatalf("%s %s: %v\n%s", method, path, err, out)
		}
	}
}

var theWriter struct {
	once sync.Once
	app
}

// writer is an app that an administrator made for the clients that write: it holds
// every application permission of Graph there is.
func writer(t *testing.T) app {
	t.Helper()
	theWriter.once.Do(func() {
		var made, sp struct{ ID, AppID string }
		var secret struct{ SecretText string }
		asAdmin(t, "POST", "/v1.0/applications", map[string]any{"displayName": "Conformance Writer"}, &made)
		asAdmin(t, "POST", "/v1.0/applications/"+made.ID+"/addPassword", map[string]any{}, &secret)
		asAdmin(t, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": made.AppID}, &sp)
		var graph struct {
			ID       string
			AppRoles []struct{ ID string }
		}
		asAdmin(t, "GET", "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appRoles", nil, &graph)
		for _, r := range graph.AppRoles {
			asAdmin(t, "POST", "/v1.0/servicePrincipals/"+sp.ID+"/appRoleAssignments",
				map[string]any{"principalId": sp.ID, "resourceId": graph.ID, "appRoleId": r.ID}, nil)
		}
		theWriter.app = app{id: made.AppID, secret: secret.SecretText}
	})
	if theWriter.id == "" {
		t.Fatal("the writer was not made")
	}
	return theWriter.app
}
