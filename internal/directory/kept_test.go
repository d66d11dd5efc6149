package directory_test

import (
	"testing"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
)

// TestKept: an account whose names are replaced by what is kept of them is of the same class.
func TestKept(t *testing.T) {
	t.Parallel()
	global := directory.Signs{Roles: []directory.HeldRole{{TemplateID: entra.RoleGlobalAdministrator}}}
	seen := map[directory.Class]int{}
	for _, login := range []string{"adele.vance", "svc-crm", "noreply", "bg", "BG-1", "breakglass01", "break.glass", "firecall", "front.desk",
		"scanner.floor2", "helpdesk", "sql2", "bigservice", "info", "bgr", "adele_fabrikam.example#EXT#"} {
		for _, name := range []string{"", "Adele Vance", "Emergency access 1", "CRM service account",
			"Shared mailbox of sales", "Service desk", "BG", "Break glass"} {
			for _, signs := range []directory.Signs{{}, global} {
				u := directory.User{UserPrincipalName: login + "@contoso.example", DisplayName: name, UserType: "Member"}
				hidden := u
				hidden.UserPrincipalName = "redacted-0badcafe00fade12" + directory.Kept(u.UserPrincipalName)
				if name != "" {
					hidden.DisplayName = "redacted-0123456789abcdef" + directory.Kept(name)
				}
				is, want := directory.Classify(&hidden, signs), directory.Classify(&u, signs)
				if is != want {
					t.Errorf("%q, %q is %s, and as %q, %q %s", login, name, want, hidden.UserPrincipalName, hidden.DisplayName, is)
				}
				seen[want]++
			}
		}
	}
	for _, c := range []directory.Class{directory.ClassBreakGlass, directory.ClassService, directory.ClassShared, directory.ClassMember, directory.ClassGuest} {
		if seen[c] == 0 {
			t.Errorf("none is %s: nothing is tried", c)
		}
	}
	if end := directory.Kept("Adele Vance"); end != "" {
		t.Errorf("of a person's name %q is kept", end)
	}
}
