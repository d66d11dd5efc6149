package object

import (
	"os"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/remedy"
)

// TestSources: permissions, roles and traps are those of rows of the contract, and the
// permissions are named there.
func TestSources(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../../shared/reference/contracts-2026-11.md")
	if err != nil {
		t.Skip("the contract is not here")
	}
	_, text, _ := strings.Cut(string(raw), "\n## 5. Remedies through Graph")
	text, _, _ = strings.Cut(text, "\n## ")
	rows := map[string]string{}
	for l := range strings.SplitSeq(text, "\n") {
		if cells := strings.Split(l, " | "); len(cells) > 2 {
			rows[strings.TrimPrefix(cells[0], "| ")] = l
		}
	}
	for k, x := range kinds {
		if k == remedy.Person {
			continue
		}
		if rows[x.source] == "" {
			t.Errorf("%s: the contract has no row %q", k, x.source)
		}
		if len(x.permissions) == 0 || x.role == "" || len(x.do) == 0 {
			t.Errorf("%s: what it needs is not said", k)
		}
	}
	for _, x := range traps {
		if rows[x.source] == "" && x.source != "contracts.md 3.8" {
			t.Errorf("%s: the contract has no row %q", x.words, x.source)
		}
		if strings.HasSuffix(x.words, ".") || kinds[x.kind] == nil {
			t.Errorf("%s of %s", x.words, x.kind)
		}
	}
	// What the contract names for a change is asked for.
	for k, want := range map[remedy.Kind]string{
		remedy.Policy: "Policy.ReadWrite.ConditionalAccess", remedy.Defaults: "Policy.ReadWrite.SecurityDefaults",
		remedy.Methods: "Policy.ReadWrite.AuthenticationMethod", remedy.PerUserMFA: "Policy.ReadWrite.AuthenticationMethod",
		remedy.Role: "RoleManagement.ReadWrite.Directory", remedy.Member: "GroupMember.ReadWrite.All", remedy.Principal: "Application.ReadWrite.All",
		remedy.Grant: "DelegatedPermissionGrant.ReadWrite.All", remedy.AppRole: "AppRoleAssignment.ReadWrite.All",
	} {
		if !slices.Contains(kinds[k].permissions, want) || !strings.Contains(rows[kinds[k].source], want) {
			t.Errorf("%s: %v", k, kinds[k].permissions)
		}
	}
}
