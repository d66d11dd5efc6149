package sample

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, name string, v any) {
	t.Helper()
	b, err := fs.ReadFile(FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type user struct {
	ID, UserPrincipalName, UserType string
	AccountEnabled                  bool
}

type signIn struct {
	ID, UserID, UserPrincipalName, CorrelationID string
	AppID, ConditionalAccessStatus               string
	ClientAppUsed, AuthenticationProtocol        string
	AuthenticationRequirement                    string
	CrossTenantAccessType, ServicePrincipalID    string
	CreatedDateTime                              time.Time
	Status                                       struct {
		ErrorCode         int
		AdditionalDetails string
	}
	AuthenticationDetails             []struct{ AuthenticationMethod, AuthenticationStepRequirement string }
	AuthenticationRequirementPolicies []struct{ RequirementProvider string }
}

func signIns(t *testing.T) []signIn {
	t.Helper()
	names, err := fs.Glob(FS(), "signins/*.jsonl.gz")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	f, err := FS().Open(names[0])
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []signIn
	in := bufio.NewScanner(z)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var s signIn
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSizeAndShape(t *testing.T) {
	t.Parallel()
	total := int64(0)
	err := fs.WalkDir(FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += info.Size()
		if strings.HasSuffix(path, ".json") {
			var v any
			read(t, path, &v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > 1500<<10 {
		t.Errorf("the sample takes %d bytes of the binary, want at most 1.5 MB", total)
	}
	rows := signIns(t)
	if len(rows) < 1000 || len(rows) > 1500 { // quiet renewals make a third of a log
		t.Errorf("%d sign-ins", len(rows))
	}
	last := rows[len(rows)-1].CreatedDateTime
	if !last.Before(AsOf) || AsOf.Sub(last) > time.Hour {
		t.Errorf("the last sign-in is at %s, want within the hour before %s", last, AsOf)
	}
}

// What the files say about the same thing agrees.
func TestFilesAgree(t *testing.T) {
	t.Parallel()
	var users struct{ Value []user }
	read(t, "entra/users.json", &users)
	var registered struct {
		Value []struct {
			ID                string
			IsAdmin           bool
			IsMfaRegistered   bool
			MethodsRegistered []string
		}
	}
	read(t, "entra/userRegistrationDetails.json", &registered)
	var assigned struct {
		Value []struct{ PrincipalID, RoleDefinitionID string }
	}
	read(t, "entra/roleAssignments.json", &assigned)
	var defined struct {
		Value []struct{ ID, DisplayName string }
	}
	read(t, "entra/roleDefinitions.json", &defined)

	byID := map[string]user{}
	for _, u := range users.Value {
		if byID[u.ID].ID != "" {
			t.Errorf("two users share the id %s", u.ID)
		}
		byID[u.ID] = u
	}
	admins := map[string]bool{}
	for _, a := range assigned.Value {
		admins[a.PrincipalID] = true
		if !slices.ContainsFunc(defined.Value, func(d struct{ ID, DisplayName string }) bool { return d.ID == a.RoleDefinitionID }) {
			t.Errorf("role %s is assigned and not defined", a.RoleDefinitionID)
		}
	}
	methods := map[string][]string{}
	for _, r := range registered.Value {
		u, ok := byID[r.ID]
		if !ok || !u.AccountEnabled {
			t.Errorf("the registration report names %s, who is unknown or disabled", r.ID)
		}
		if r.IsAdmin != admins[r.ID] {
			t.Errorf("%s: isAdmin is %v, role assignments say %v", u.UserPrincipalName, r.IsAdmin, admins[r.ID])
		}
		methods[r.ID] = r.MethodsRegistered
	}
	// The method a sign-in was answered with is one that is registered.
	needs := map[string]string{"Authenticator App": "microsoftAuthenticatorPush", "Software OATH token": "softwareOneTimePasscode",
		"SMS": "mobilePhone", "FIDO2 security key": "fido2SecurityKey", "Windows Hello for Business": "windowsHelloForBusiness"}
	answered := map[string]int{}
	ids := map[string]bool{}
	for _, s := range signIns(t) {
		if ids[s.ID] {
			t.Errorf("two sign-ins share the id %s", s.ID)
		}
		ids[s.ID] = true
		if s.UserID == "" {
			if s.ServicePrincipalID == "" {
				t.Errorf("sign-in %s has neither a user nor a service principal", s.ID)
			}
			continue
		}
		u, ok := byID[s.UserID]
		if !ok || !strings.EqualFold(u.UserPrincipalName, s.UserPrincipalName) {
			t.Errorf("sign-in %s by %s, who is not in users.json under that id", s.ID, s.UserPrincipalName)
		}
		if !u.AccountEnabled && s.Status.ErrorCode == 0 {
			t.Errorf("%s is disabled and signed in", u.UserPrincipalName)
		}
		for _, step := range s.AuthenticationDetails {
			m := step.AuthenticationMethod
			if step.AuthenticationStepRequirement != "Multifactor authentication" || m == "Previously satisfied" || m == "Federated" {
				continue
			}
			answered[m]++
			if want := needs[m]; want == "" || !slices.Contains(methods[s.UserID], want) {
				t.Errorf("%s answered with %q, registered are %v", u.UserPrincipalName, m, methods[s.UserID])
			}
		}
	}
	for m := range needs {
		if answered[m] == 0 {
			t.Errorf("nobody answered with %s", m)
		}
	}
}

// Every kind of sign-in the sample promises is in it.
func TestStoryIsTold(t *testing.T) {
	t.Parallel()
	rows := signIns(t)
	completed := map[string]bool{}
	for _, s := range rows {
		if s.Status.ErrorCode == 0 {
			completed[s.CorrelationID] = true
		}
	}
	want := map[string]func(signIn) bool{
		"challenged":      func(s signIn) bool { return s.Status.AdditionalDetails == "MFA completed in Azure AD" },
		"claim in token":  func(s signIn) bool { return strings.HasSuffix(s.Status.AdditionalDetails, "by claim in the token") },
		"claim from home": func(s signIn) bool { return strings.HasSuffix(s.Status.AdditionalDetails, "external provider") },
		"single factor": func(s signIn) bool {
			return s.Status.ErrorCode == 0 && s.AuthenticationRequirement == "singleFactorAuthentication" && len(s.AuthenticationDetails) == 1
		},
		"prompt then done": func(s signIn) bool { return s.Status.ErrorCode == 50076 && completed[s.CorrelationID] },
		"prompt left":      func(s signIn) bool { return s.Status.ErrorCode == 50076 && !completed[s.CorrelationID] },
		"enrolment":        func(s signIn) bool { return s.Status.ErrorCode == 50079 },
		"wrong password":   func(s signIn) bool { return s.Status.ErrorCode == 50126 },
		"MFA refused":      func(s signIn) bool { return s.Status.ErrorCode == 500121 },
		"device code":      func(s signIn) bool { return s.AuthenticationProtocol == "deviceCode" && s.Status.ErrorCode == 53003 },
		"password grant":   func(s signIn) bool { return s.AuthenticationProtocol == "ropc" },
		"SMTP AUTH":        func(s signIn) bool { return s.ClientAppUsed == "Authenticated SMTP" },
		"old Outlook":      func(s signIn) bool { return s.ClientAppUsed == "Exchange Web Services" && s.Status.ErrorCode == 0 },
		"on behalf of":     func(s signIn) bool { return s.CrossTenantAccessType == "serviceProvider" },
		"CSP admins": func(s signIn) bool {
			return len(s.AuthenticationRequirementPolicies) > 0 && s.AuthenticationRequirementPolicies[0].RequirementProvider == "enforcedForCspAdmins"
		},
		"service principal": func(s signIn) bool { return s.UserID == "" },
	}
	for name, is := range want {
		if !slices.ContainsFunc(rows, is) {
			t.Errorf("no row tells of: %s", name)
		}
	}
	weekday, weekend := 0, 0
	for _, s := range rows {
		if d := s.CreatedDateTime.Weekday(); d == time.Saturday || d == time.Sunday {
			weekend++
		} else {
			weekday++
		}
	}
	if weekend*8 > weekday {
		t.Errorf("weekends are busy: %d rows against %d on weekdays", weekend, weekday)
	}
}

func TestOlderRowsAreCSV(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(FS(), "signins/*.csv")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	b, err := fs.ReadFile(FS(), names[0])
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 40 || len(rows) > 90 {
		t.Errorf("%d rows", len(rows))
	}
}
