package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/config"
)

// house is an installation with a clock of its own.
type house struct {
	*app.Installation
	now time.Time
}

// open opens the installation of a folder, over PostgreSQL where url is given.
func open(ctx context.Context, dir, url string) (*house, error) {
	h := &house{now: first.AddDate(2, 0, 0)}
	env := map[string]string{"HOME": dir, "PARTNERGUARD_DATABASE": url}
	getenv := func(name string) string { return env[name] }
	c, err := config.Load(config.Source{Getenv: getenv, Flags: map[string]string{"data": dir, "cloud": "public", "master-key": "file:" + filepath.Join(dir, "key")}})
	if err != nil {
		return nil, err
	}
	h.Installation, err = app.OpenData(ctx, app.Options{Config: c, Actor: "local:bench", Now: func() time.Time { return h.now }, Getenv: getenv})
	return h, err
}

func tenantID(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", n+1) }

func userID(n int) string { return fmt.Sprintf("%08x-1111-4000-8000-000000000000", n+1) }

// accounts is how many each tenant has.
const accounts = 40

// fill writes the pages of a tenant into the archive, as collecting does: lists on the
// first day, and each day its sign-ins, a segment a day. It gives the bytes of the
// sign-ins' pages.
func (h *house) fill(ctx context.Context, z size, tenant int) (bytes int64, err error) {
	r := rand.New(rand.NewPCG(uint64(tenant), 1))
	for d := range z.days {
		h.now = first.AddDate(0, 0, d+1).Add(10 * time.Minute)
		w, err := h.Archive.Begin(tenantID(tenant))
		if err != nil {
			return 0, err
		}
		if d == 0 {
			for name, body := range lists() {
				if err := h.add(w, tenant, name, "whole", [][]byte{body}, time.Time{}); err != nil {
					return 0, err
				}
			}
		}
		day := first.AddDate(0, 0, d)
		pages := signIns(r, z.rows, tenant, day)
		for _, p := range pages {
			bytes += int64(len(p))
		}
		if err := h.add(w, tenant, "signIns.interactiveUser", "sliced", pages, day); err != nil {
			return 0, err
		}
		if _, err := w.Commit(ctx, nil); err != nil {
			return 0, err
		}
	}
	h.now = first.AddDate(0, 0, z.days+1)
	return bytes, nil
}

// add adds a whole reading.
func (h *house) add(w *archive.Writer, tenant int, resource, way string, pages [][]byte, day time.Time) error {
	run := archive.Run{ID: archive.NewRun(h.now), Tenant: tenantID(tenant), Resource: resource, Way: way, Began: h.now, Ended: h.now, Whole: true}
	if way == "sliced" {
		run.From, run.To = day, day.AddDate(0, 0, 1)
	}
	for i, body := range pages {
		if err := w.Add(archive.Page{Tenant: run.Tenant, Resource: resource, Run: run.ID, Number: i, Request: "GET /beta/" + resource, Status: 200, From: run.From,
			To: run.To, At: h.now, Body: body}); err != nil {
			return err
		}
		run.Pages++
	}
	return w.End(run)
}

// lists are what does not change.
func lists() map[string][]byte {
	var users, registered bytes.Buffer
	users.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[`)
	registered.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#reports/authenticationMethods/userRegistrationDetails","value":[`)
	for n := range accounts {
		if n > 0 {
			users.WriteByte(',')
			registered.WriteByte(',')
		}
		fmt.Fprintf(&users, `{"id":%q,"userPrincipalName":"user%d@contoso.com","displayName":"User %d","userType":"Member","accountEnabled":true}`, userID(n), n, n)
		fmt.Fprintf(&registered, `{"id":%q,"userPrincipalName":"user%d@contoso.com","isMfaRegistered":true,"isMfaCapable":true,"isAdmin":false,
			"methodsRegistered":["microsoftAuthenticatorPush"]}`, userID(n), n)
	}
	users.WriteString("]}")
	registered.WriteString("]}")
	return map[string][]byte{
		"users": users.Bytes(), "userRegistrationDetails": registered.Bytes(),
		"conditionalAccessPolicies": []byte(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":[
			{"id":"p1","displayName":"MFA for all","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":[]},
			"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}]}`),
		"identitySecurityDefaultsEnforcementPolicy": []byte(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity",
			"id":"d","isEnabled":false}`),
	}
}

// page is how many rows stand in a page.
const page = 999

// signIns are pages of a day's sign-ins, of 1.3 KB a row.
func signIns(r *rand.Rand, rows, tenant int, day time.Time) (out [][]byte) {
	var b bytes.Buffer
	for i := range rows {
		if i%page == 0 {
			if i > 0 {
				b.WriteString("]}")
				out = append(out, bytes.Clone(b.Bytes()))
				b.Reset()
			}
			b.WriteString(`{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns","value":[`)
		} else {
			b.WriteByte(',')
		}
		user, app := r.IntN(accounts), r.IntN(12)
		at := day.Add(time.Duration(r.Int64N(int64(24 * time.Hour))))
		need, step := "multiFactorAuthentication", `"MFA requirement satisfied by claim in the token"`
		if r.IntN(200) == 0 {
			need, step = "singleFactorAuthentication", `""`
		}
		fmt.Fprintf(&b, `{"id":"%08x-%04x-4000-8000-%012x","createdDateTime":%q,"userDisplayName":"User %d","userPrincipalName":"user%d@contoso.com","userId":%q,"appId":"%08x-2222-4000-8000-000000000000","appDisplayName":"App %d","ipAddress":"203.0.113.%d","clientAppUsed":"Browser","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36","correlationId":"%08x-3333-4000-8000-%012x","conditionalAccessStatus":"success","isInteractive":true,"authenticationRequirement":%q,"authenticationProtocol":"none","incomingTokenType":"none","crossTenantAccessType":"none","userType":"member","tokenIssuerType":"AzureAD","riskLevelDuringSignIn":"none","riskState":"none","resourceDisplayName":"Microsoft Graph","resourceId":"00000003-0000-0000-c000-000000000000","resourceTenantId":"t","homeTenantId":"t","status":{"errorCode":0,"failureReason":"Other.","additionalDetails":%s},"deviceDetail":{"deviceId":"","displayName":null,"operatingSystem":"Windows10","browser":"Chrome 142.0.0","isCompliant":false,"isManaged":false,"trustType":null},"location":{"city":"Oslo","state":"Oslo","countryOrRegion":"NO"},"appliedConditionalAccessPolicies":[{"id":"p1","displayName":"MFA for all","enforcedGrantControls":["Mfa"],"enforcedSessionControls":[],"result":"success"}],"authenticationDetails":[{"authenticationStepDateTime":%q,"authenticationMethod":"Previously satisfied","succeeded":true,"authenticationStepResultDetail":%s,"authenticationStepRequirement":"Primary authentication"}],"signInEventTypes":["interactiveUser"]}`,
			r.Uint32(), i&0xffff, tenant, at.Format(time.RFC3339), user, user, userID(user), app, app, r.IntN(250), r.Uint32(), i, need, step, at.Format(time.RFC3339), step)
	}
	b.WriteString("]}")
	return append(out, bytes.Clone(b.Bytes()))
}

func temporary() (string, func(), error) {
	dir, err := os.MkdirTemp("", "partnerguard-rejudge-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
