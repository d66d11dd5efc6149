package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "gen: want the folder to write to")
		os.Exit(2)
	}
	for name, content := range files() {
		path := filepath.Join(os.Args[1], filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			fatal(err)
		}
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "gen:", err)
	os.Exit(1)
}

// files is the whole sample by name.
func files() map[string][]byte {
	all := log()
	var newer, older, plain []row
	seen := map[string]lasts{}
	for _, r := range all {
		if r.who != nil {
			l := seen[r.who.id()]
			if r.quiet {
				l.token = r.at
			} else {
				l.interactive = r.at
			}
			if r.code == 0 {
				l.success = r.at
			}
			seen[r.who.id()] = l
		}
		switch {
		case r.old:
			plain = append(plain, r)
		case r.at.Before(logFrom):
			older = append(older, r)
		default:
			newer = append(newer, r)
		}
	}
	// Two exports of neighbouring periods overlap, as they do in life: the
	// first user rows of the newer one are in the older one too.
	for i := 0; len(older) > 0 && i < len(newer) && i < 8; i++ {
		if newer[i].who != nil && !newer[i].quiet {
			older = append(older, newer[i])
		}
	}
	root, requirements := score()
	var v1 []any
	for i := range plain {
		v1 = append(v1, plain[i].graph())
	}
	out := map[string][]byte{
		"entra/organization.json":                                       text(organization()),
		"entra/users.json":                                              text(usersPage(seen)),
		"entra/userRegistrationDetails.json":                            text(registrations()),
		"entra/identitySecurityDefaultsEnforcementPolicy.json":          text(securityDefaults()),
		"entra/conditionalAccessPolicies.json":                          text(conditionalAccess()),
		"entra/namedLocations.json":                                     text(namedLocations()),
		"entra/authenticationStrengthPolicies.json":                     text(page("v1.0/$metadata#policies/authenticationStrengthPolicies", []any{strengths()[0], strengths()[1]})),
		"entra/authenticationMethodsPolicy.json":                        text(methodsPolicy()),
		"entra/roleDefinitions.json":                                    text(roleDefinitions()),
		"entra/roleAssignments.json":                                    text(roleAssignments()),
		"entra/roleEligibilityScheduleInstances.json":                   text(roleEligibility()),
		"entra/groups.json":                                             text(groupsPage()),
		"entra/applications.json":                                       text(applications()),
		"entra/servicePrincipals.json":                                  text(servicePrincipals()),
		"entra/oauth2PermissionGrants.json":                             text(grants()),
		"entra/subscribedSkus.json":                                     text(skus()),
		"partner/delegatedAdminRelationships.json":                      text(relationships()),
		"partner/customers.json":                                        text(customersPage()),
		"partner/customerInsights.json":                                 text(insights()),
		"partner/securityAlerts.json":                                   text(alerts()),
		"partner/fraudEvents.json":                                      text(fraudEvents()),
		"partner/securityScore.json":                                    text(root),
		"partner/securityRequirements.json":                             text(requirements),
		"partner/applicationmfaadoptionstatus.json":                     text(adoption()),
		"partner/nonMfaCompliantPartnerPrincipals.json":                 text(nonCompliantPrincipals()),
		"partner/partnerRequests.json":                                  text(requests()),
		"signins/signIns-2026-10-21-to-2026-11-20.jsonl.gz":             squeeze(lines(newer)),
		"signins/signIns-v1.0.json":                                     text(page("v1.0/$metadata#auditLogs/signIns", v1)),
		"signins/SigninLogs-log-analytics-2026-10-07-to-2026-10-20.csv": analytics(older),
	}
	return out
}

// text is readable JSON.
func text(v any) []byte {
	var raw, b bytes.Buffer
	if err := encode(&raw, v); err != nil {
		panic(err)
	}
	if err := json.Indent(&b, raw.Bytes(), "", "  "); err != nil {
		panic(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// lines is one row a line.
func lines(rows []row) []byte {
	var b bytes.Buffer
	for i := range rows {
		if err := encode(&b, rows[i].graph()); err != nil {
			panic(err)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func squeeze(data []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := z.Write(data); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
