package app_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/apppassword"
)

// TestLessIsNeverKnown: of complete exports of random tenants and of the folders of
// the shared situations, take away any file, page or record of a counted list: no
// account's answer becomes another one, unless it becomes unknown.
func TestLessIsNeverKnown(t *testing.T) {
	t.Parallel()
	folders := map[string]map[string][]byte{}
	n := 40
	if testing.Short() {
		n = 8
	}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		folders[fmt.Sprint("random ", seed)] = withPasswords(r, randomExport(r))
	}
	inputs, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "*", "*", "input"))
	if len(inputs) == 0 && os.Getenv("CI") != "" {
		t.Fatal("the shared situations are missing")
	}
	for i, in := range inputs {
		if i%8 != 0 {
			continue
		}
		files := map[string][]byte{}
		names, _ := filepath.Glob(filepath.Join(in, "*.json"))
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = counted(raw)
		}
		if len(files) > 0 {
			folders[in] = files
		}
	}
	known, tried := map[apppassword.Answer]int{}, 0
	for name, files := range folders {
		whole := worked(t, files)
		for _, a := range whole {
			known[a]++
		}
		for file, text := range files {
			for what, less := range lessOf(text) {
				if disputed[file] {
					continue
				}
				tried++
				for who, a := range worked(t, with(files, file, less)) {
					if was, here := whole[who]; here && a != was && a != apppassword.Unknown {
						t.Errorf("%s: %s of %s taken away: %s turns from %s to %s", name, what, file, who, was, a)
					}
				}
			}
		}
	}
	t.Logf("%v, %d exports with less", known, tried)
	if known[apppassword.Yes] < 3 || known[apppassword.No] < n || tried < 5*n {
		t.Errorf("one-sided: %v in %d folders, %d exports with less", known, len(folders), tried)
	}
}

// withPasswords adds per-user MFA states, a log, and a policy against old clients.
func withPasswords(r *rand.Rand, files map[string][]byte) map[string][]byte {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	const northwind, graph = "@northwind.example", "https://graph.microsoft.com/"
	var states, rows []string
	for i := range 4 {
		id := fmt.Sprintf("10000000-0000-4000-8000-%012d", i)
		states = append(states, fmt.Sprintf(`{"id":%q,"userPrincipalName":"u%d%s","perUserMfaState":%q}`, id, i, northwind,
			pick("enforced", "enforced", "enabled", "disabled")))
		rows = append(rows, fmt.Sprintf(`{"id":"row%d","createdDateTime":"2026-11-2%dT08:00:00Z","userId":%q,"userPrincipalName":"u%d%s",
			"appId":"00000002-0000-0ff1-ce00-000000000000","clientAppUsed":%q,"authenticationRequirement":"singleFactorAuthentication",
			"isInteractive":false,"status":{"errorCode":0}}`, i, i, id, i, northwind,
			pick("Authenticated SMTP", "Authenticated SMTP", "IMAP4", "Other clients")))
	}
	list := func(set string, items ...string) []byte {
		return counted([]byte(`{"@odata.context":"` + graph + set + `","value":[` + strings.Join(items, ",") + `]}`))
	}
	files["perUser.json"] = list("beta/$metadata#users/authentication/requirements", states...)
	files["signIns.json"] = list("beta/$metadata#auditLogs/signIns", rows...)
	if r.IntN(3) > 0 { // the policies of the export ask every client for MFA: leave that to some
		files["policies.json"] = list("v1.0/$metadata#identity/conditionalAccess/policies", `{"id":"p","displayName":"old","state":"`+
			pick("enabled", "disabled", "enabledForReportingButNotEnforced")+`","conditions":{"users":{"includeUsers":["All"],
			"excludeGroups":["20000000-0000-4000-8000-000000000000"]},"applications":{"includeApplications":["All"]},
			"clientAppTypes":["exchangeActiveSync","other"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	}
	return files
}

func worked(t *testing.T, files map[string][]byte) map[string]apppassword.Answer {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	r, err := app.AppPasswords(t.Context(), app.Reading{From: []string{dir}}, app.Question{AsOf: at, Now: at}, "", "")
	out := map[string]apppassword.Answer{}
	if err != nil {
		return out
	}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		out[a.ID+a.UPN] = a.Works
		for _, p := range a.Paths {
			out[a.ID+a.UPN+" "+p.ID] = p.Works
		}
		out[a.ID+a.UPN+" holds"], out[a.ID+a.UPN+" depends"] = a.Holds, a.Depends
	}
	return out
}
