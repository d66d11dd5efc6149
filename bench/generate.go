package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// generate writes n sign-ins of the beta resource as JSON lines, newest first
// as Graph lists them. The same n gives the same bytes.
//
// About one in twenty is an interrupted prompt whose success follows under the
// same correlation id, one in fifty is a copy of an earlier row, one in fifty
// lacks the beta fields, and a tenth of the names need UTF-8 or escapes. Varied
// events repeat one another less: addresses, devices, browsers and apps differ
// from row to row as in a large tenant, so that they compress less well.
func generate(w io.Writer, n int, varied bool) error {
	out := bufio.NewWriterSize(w, 1<<20)
	r := rand.New(rand.NewPCG(2024, uint64(n)))
	at := time.Date(2024, 5, 31, 23, 59, 59, 0, time.UTC)
	var past [64][]byte
	var line []byte
	pending := -1 // account whose prompt comes next
	var session uint64
	for i := range n {
		if i > 64 && r.IntN(50) == 0 {
			if _, err := out.Write(past[r.IntN(len(past))]); err != nil {
				return err
			}
			continue
		}
		at = at.Add(-time.Duration(r.IntN(400)) * time.Millisecond)
		account, prompt := int(r.Int64N(5000)*r.Int64N(5000)/5000), false
		if pending >= 0 {
			account, prompt, pending = pending, true, -1
		} else {
			session = r.Uint64()
			if r.IntN(20) == 0 {
				pending = account
			}
		}
		line = appendEvent(line[:0], r, at, account, session, prompt, r.IntN(50) == 0, varied)
		past[i%len(past)] = append(past[i%len(past)][:0], line...)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

var (
	names = []string{"Ada Lovelace", "Grace Hopper", "Bj\u00f6rn \u00c5kesson", `Jos\u00e9 \"Pepe\" Ruiz`, "Linus T", "Radia Perlman", "Barbara Liskov",
		"Edsger D", "Katherine J", "Alan T"}
	apps = []string{"Azure Portal", "Microsoft Teams", "Office 365 Exchange Online", "Microsoft Partner Center", "Office365 Shell WCSS-Client",
		"Microsoft Azure CLI", "One Outlook Web", "SharePoint Online Web Client Extensibility"}
	cities  = [][3]string{{"Redmond", "Washington", "US"}, {"M\u00fcnchen", "Bayern", "DE"}, {"Dublin", "Dublin", "IE"}, {"Pune", "Maharashtra", "IN"}}
	clients = []string{"Browser", "Browser", "Browser", "Mobile Apps and Desktop clients", "Mobile Apps and Desktop clients",
		"Mobile Apps and Desktop clients", "IMAP4", "Authenticated SMTP"}
)

var (
	systems = []string{"Windows NT 10.0; Win64; x64", "Windows NT 10.0; WOW64", "Macintosh; Intel Mac OS X 10_15_7", "Macintosh; Intel Mac OS X 13_4",
		"X11; Linux x86_64", "X11; CrOS x86_64 15117.111.0", "iPhone; CPU iPhone OS 17_4 like Mac OS X", "iPad; CPU OS 16_7 like Mac OS X",
		"Linux; Android 14; Pixel 8", "Linux; Android 13; SM-S918B"}
	browsers = []string{"Chrome", "Edg", "Version", "CriOS", "EdgiOS", "FxiOS", "Electron", "Teams"}
)

func guid(a, b uint64) string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0xfff, uint16(b)&0xfff, b>>16)
}

func appendEvent(b []byte, r *rand.Rand, at time.Time, account int, session uint64, prompt, v1, varied bool) []byte {
	app, city, client := r.IntN(len(apps)), cities[account%len(cities)], clients[r.IntN(len(clients))]
	when := at.Format("2006-01-02T15:04:05.0000000Z")
	add := func(format string, a ...any) { b = fmt.Appendf(b, format, a...) }
	ip, agent := fmt.Sprintf("198.51.%d.%d", account%256, r.IntN(256)),
		fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.%d.67",
			r.IntN(3000))
	appID := fmt.Sprintf("%08x-0000-4000-8000-00000000a%03x", app*31, app)
	device := fmt.Sprintf("%08x-2222-4222-8222-000000000000", account*31)
	extra := ""
	if varied {
		n := uint64(r.IntN(400))*0x9e3779b97f4a7c15 + 1
		appID = guid(n, n*n)
		device = guid(uint64(account)*0xbf58476d1ce4e5b9, uint64(account)*0x94d049bb133111eb)
		ip = fmt.Sprintf("%d.%d.%d.%d", 1+r.IntN(222), r.IntN(256), r.IntN(256), r.IntN(256))
		if r.IntN(4) == 0 {
			ip = fmt.Sprintf("2a02:%x:%x:%x:%x:%x:%x:%x", r.IntN(1<<12), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16),
				r.IntN(1<<16))
		}
		agent = fmt.Sprintf("Mozilla/5.0 (%s) AppleWebKit/%d.%d (KHTML, like Gecko) %s/%d.%d.%d.%d Safari/%d.%d", systems[r.IntN(len(systems))],
			500+r.IntN(110), r.IntN(40), browsers[r.IntN(len(browsers))], 90+r.IntN(40), r.IntN(4), 1000+r.IntN(6000), r.IntN(200), 500+r.IntN(110), r.IntN(40))
		extra = fmt.Sprintf(`"resourceOwnerTenantId":"%s","clientSessionId":"%s","agent":{"agentType":"notAgentic","parentAppId":"%s"},"globalSecureAccessIpAddress":"%d.%d.%d.%d","managedServiceIdentity":{"msiType":"none","associatedResourceId":"%x"},`,
			guid(n*3, n*7), guid(r.Uint64(), r.Uint64()), guid(r.Uint64(), r.Uint64()), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.Uint64())
	}
	add(`{"id":"%08x-%04x-4%03x-8%03x-%012x","createdDateTime":"%s",`, r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16, when)
	add(`"userDisplayName":"%s %d","userPrincipalName":"user%d@partner.example","userId":"%08x-1111-4111-8111-%012x",`, names[account%len(names)], account,
		account, account*7919, account)
	add(`"appId":"%s","appDisplayName":"%s","ipAddress":"%s","ipAddressFromResourceProvider":null,"clientAppUsed":"%s",`, appID, apps[app], ip, client)
	add(`%s"userAgent":"%s",`, extra, agent)
	add(`"correlationId":"%08x-%04x-4000-9000-%012x","conditionalAccessStatus":"success","isInteractive":%v,"riskDetail":"none","riskLevelAggregated":"none","riskLevelDuringSignIn":"none","riskState":"none",`,
		uint32(session), uint16(session>>32), session>>16, r.IntN(3) > 0)
	add(`"resourceDisplayName":"Windows Azure Service Management API","resourceId":"797f4846-ba00-4fd7-ba43-dac1f8f63013","resourceTenantId":"2ad3fc79-1859-42fa-9011-6f8df2251b22","homeTenantId":"2ad3fc79-1859-42fa-9011-6f8df2251b22","homeTenantName":"","servicePrincipalId":"","servicePrincipalName":null,`)
	aobo := "none"
	if r.IntN(10) == 0 {
		aobo = "serviceProvider"
	}
	multi := r.IntN(10) < 7
	requirement := "singleFactorAuthentication"
	if multi {
		requirement = "multiFactorAuthentication"
	}
	if !v1 {
		add(`"originalRequestId":"%016x%016x","originalTransferMethod":"none","isTenantRestricted":false,"autonomousSystemNumber":%d,"crossTenantAccessType":"%s","tokenIssuerName":"","tokenIssuerType":"AzureAD","incomingTokenType":"none","authenticationProtocol":"none","authenticationRequirement":"%s","uniqueTokenIdentifier":"%016x%016x","signInIdentifier":"user%d@partner.example","signInIdentifierType":null,"userType":"member","flaggedForReview":false,`,
			r.Uint64(), r.Uint64(), 8068+r.IntN(9), aobo, requirement, r.Uint64(), r.Uint64(), account)
		add(`"processingTimeInMilliseconds":%d,"signInTokenProtectionStatus":"none","servicePrincipalCredentialKeyId":"","servicePrincipalCredentialThumbprint":"","clientCredentialType":"none","federatedCredentialId":null,"resourceServicePrincipalId":"ea6b7c2d-2b5f-4bd5-9c1e-2c3f9f9a3d11","appOwnerTenantId":"f8cdef31-a31e-4b4a-93e4-5f571e91255a","isThroughGlobalSecureAccess":false,"sessionId":"%016x%016x","conditionalAccessAudiences":[],"authenticationContextClassReferences":[],"sessionLifetimePolicies":[],"signInEventTypes":["interactiveUser"],`,
			r.IntN(900), r.Uint64(), r.Uint64())
	}
	code, why, detail := 0, "Other.", ""
	switch {
	case prompt:
		code, why = 50074, "Strong Authentication is required."
	case r.IntN(25) == 0:
		code, why = 50126, "Error validating credentials due to invalid username or password."
	case multi && r.IntN(3) == 0:
		detail = "MFA requirement satisfied by claim in the token"
	}
	add(`"status":{"errorCode":%d,"failureReason":"%s","additionalDetails":"%s"},`, code, why, detail)
	add(`"deviceDetail":{"deviceId":"%s","displayName":"DESKTOP-%05d","operatingSystem":"Windows10","browser":"Edge 124.0.0","isCompliant":%v,"isManaged":true,"trustType":"Hybrid Azure AD joined"},`, device, account, account%3 > 0)
	add(`"location":{"city":"%s","state":"%s","countryOrRegion":"%s","geoCoordinates":{"altitude":null,"latitude":%.5f,"longitude":%.5f}},`, city[0], city[1],
		city[2], 47+r.Float64(), -122+r.Float64())
	add(`"appliedConditionalAccessPolicies":[`)
	for i, p := range []string{"Require MFA for all users", "Block legacy authentication"} {
		result := [...]string{"success", "reportOnlyNotApplied"}[i]
		if i > 0 {
			b = append(b, ',')
		}
		add(`{"id":"%08x-3333-4333-8333-333333333333","displayName":"%s","enforcedGrantControls":["%s"],"enforcedSessionControls":[],"result":"%s"`, i*977, p,
			[...]string{"Mfa", "Block"}[i], result)
		if !v1 {
			add(`,"conditionsSatisfied":"application,users","conditionsNotSatisfied":"none"`)
		}
		b = append(b, '}')
	}
	b = append(b, ']')
	if !v1 {
		add(`,"authenticationProcessingDetails":[{"key":"Legacy TLS (TLS 1.0, 1.1, 3DES)","value":"False"},{"key":"Is CAE Token","value":"False"},{"key":"Oauth Scope Info","value":"[\"user_impersonation\"]"}],"networkLocationDetails":[]`)
		add(`,"authenticationDetails":[{"authenticationStepDateTime":"%s","authenticationMethod":"Password","authenticationMethodDetail":"Password Hash Sync","succeeded":%v,"authenticationStepResultDetail":"Correct password","authenticationStepRequirement":"Primary authentication"}`, when, code != 50126)
		if multi && code == 0 && detail == "" {
			add(`,{"authenticationStepDateTime":"%s","authenticationMethod":"Microsoft Authenticator app","authenticationMethodDetail":"","succeeded":true,"authenticationStepResultDetail":"MFA completed in Azure AD","authenticationStepRequirement":"Multifactor authentication"}`, when)
		}
		add(`],"authenticationRequirementPolicies":[{"requirementProvider":"multiConditionalAccess","detail":"Conditional Access"}],"mfaDetail":null,"authenticationAppDeviceDetails":null,"tokenProtectionStatusDetails":{"signInSessionStatus":"none","signInSessionStatusCode":null}`)
	}
	return append(b, "}\n"...)
}
