package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// resource finds a built-in resource by name, app id or URI.
func resource(name string) *world.Resource {
	if name == "" {
		return nil
	}
	for _, r := range world.Resources() {
		if strings.EqualFold(r.Name, name) {
			return r
		}
	}
	switch strings.ToLower(name) {
	case "partner center":
		return world.FindResource(entra.AppPartnerCenter)
	case "azure":
		return world.FindResource(entra.AppARM)
	}
	return world.FindResource(name)
}

func resourceNames() (out []string) {
	for _, r := range world.Resources() {
		if !r.Retired {
			out = append(out, r.Name)
		}
	}
	return out
}

func roleOf(r *world.Resource, value string) string {
	for _, s := range r.Roles {
		if strings.EqualFold(s.Value, value) {
			return s.ID
		}
	}
	return ""
}

// methodOf maps a short word, or Graph's name, to a registered method's type.
func methodOf(word string) string {
	switch word {
	case "push", world.MethodPush:
		return world.MethodPush
	case "totp", world.MethodTOTP:
		return world.MethodTOTP
	case "key", world.MethodFIDO2:
		return world.MethodFIDO2
	case "hello", world.MethodHello:
		return world.MethodHello
	case "phone", world.MethodPhone:
		return world.MethodPhone
	case "pass", world.MethodPass:
		return world.MethodPass
	case "external", world.MethodExternal:
		return world.MethodExternal
	}
	return ""
}

// methodSetting is one built-in configuration of the methods policy.
type methodSetting struct {
	id, typ string
	on      bool
	more    map[string]any
}

func methodConfigs() []methodSetting {
	return []methodSetting{
		{id: "Fido2", typ: "fido2", on: true, more: map[string]any{"isSelfServiceRegistrationAllowed": true, "isAttestationEnforced": false,
			"keyRestrictions": map[string]any{"isEnforced": false, "enforcementType": "block", "aaGuids": []string{}}}},
		{id: "MicrosoftAuthenticator", typ: "microsoftAuthenticator", on: true, more: map[string]any{"isSoftwareOathEnabled": true,
			"featureSettings": map[string]any{"displayAppInformationRequiredState": featureState("enabled"),
				"displayLocationInformationRequiredState": featureState("enabled")}}},
		{id: "Sms", typ: "sms", on: true},
		{id: "TemporaryAccessPass", typ: "temporaryAccessPass", on: true, more: map[string]any{"defaultLifetimeInMinutes": 60, "defaultLength": 8,
			"minimumLifetimeInMinutes": 60, "maximumLifetimeInMinutes": 480, "isUsableOnce": false}},
		{id: "SoftwareOath", typ: "softwareOath", on: true},
		{id: "HardwareOath", typ: "hardwareOath"},
		{id: "Voice", typ: "voice", more: map[string]any{"isOfficePhoneAllowed": false}},
		{id: "Email", typ: "email", on: true, more: map[string]any{"allowExternalIdToUseEmailOtp": "default"}},
		{id: "X509Certificate", typ: "x509Certificate", more: map[string]any{"certificateUserBindings": []any{},
			"authenticationModeConfiguration": map[string]any{"x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor", "rules": []any{}}}},
		{id: "QRCodePin", typ: "qrCodePin", more: map[string]any{"standardQRCodeLifetimeInDays": 365, "pinLength": 8}},
	}
}

func featureState(state string) map[string]any {
	all := map[string]any{"targetType": "group", "id": "all_users"}
	none := map[string]any{"targetType": "group", "id": entra.NilID}
	return map[string]any{"state": state, "includeTarget": all, "excludeTarget": none}
}

func methodConfig(name string) *methodSetting {
	list := methodConfigs()
	for i := range list {
		if strings.EqualFold(list[i].id, name) {
			return &list[i]
		}
	}
	return nil
}

func methodConfigNames() (out []string) {
	for _, m := range methodConfigs() {
		out = append(out, m.typ)
	}
	return out
}

// strengthSetting is a built-in authentication strength (contracts.md 3.6).
type strengthSetting struct {
	id, name, about string
	combinations    []string
}

func builtinStrengths() []strengthSetting {
	resistant := []string{"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"}
	passwordless := append(slices.Clone(resistant), "deviceBasedPush")
	return []strengthSetting{
		{entra.StrengthMFA, "Multifactor authentication", "Combinations of methods that satisfy strong authentication, such as a password + SMS",
			append(slices.Clone(passwordless), "temporaryAccessPassOneTime", "temporaryAccessPassMultiUse", "password,microsoftAuthenticatorPush",
				"password,softwareOath",
				"password,hardwareOath", "password,sms", "password,voice", "federatedMultiFactor", "x509CertificateSingleFactor,microsoftAuthenticatorPush",
				"federatedSingleFactor,softwareOath")},
		{entra.StrengthPasswordless, "Passwordless MFA",
			"Passwordless methods that satisfy strong authentication, such as Passwordless sign-in with the Microsoft Authenticator", passwordless},
		{entra.StrengthPhishing, "Phishing-resistant MFA",
			"Phishing-resistant, Passwordless methods for the strongest authentication, such as a FIDO2 security key", resistant},
	}
}

func builtinStrength(name string) (strengthSetting, bool) {
	for _, s := range builtinStrengths() {
		if strings.EqualFold(s.name, name) || s.id == name {
			return s, true
		}
	}
	return strengthSetting{}, false
}

func (b *builder) strengthJSON(id, name, about, kind string, combinations []string, created time.Time) []byte {
	return mustJSON(map[string]any{
		"id": id, "displayName": name, "description": about, "policyType": kind, "requirementsSatisfied": "mfa", "allowedCombinations": combinations,
		"createdDateTime": created.Format(time.RFC3339), "modifiedDateTime": created.Format(time.RFC3339),
	})
}

// strength is an authentication strength's object, as policies hold it.
func (b *builder) strength(t *world.Tenant, name string) []byte {
	for d := range t.Strengths.All() {
		if s, ok := builtinStrength(name); ok && s.id == d.ID || d.ID == b.state.GUID("strength/"+t.ID+"/"+strings.ToLower(name)) {
			return d.Raw
		}
	}
	panic("scenario: no strength " + name)
}

// licence gives the SKUs of a licence word. SKU ids and part numbers are
// general knowledge; features hang on the plans.
func licence(word string, seats, used int) []world.SKU {
	if seats < used {
		seats = used
	}
	seats = max(seats, 1)
	p1 := world.Plan{ID: entra.PlanP1, Name: world.PlanP1}
	p2 := world.Plan{ID: entra.PlanP2, Name: world.PlanP2}
	mail := world.Plan{ID: "9aaf7827-d63c-4b61-89c3-182f06f82e5c", Name: "EXCHANGE_S_STANDARD"}
	intune := world.Plan{ID: "c1ec4a95-1f05-45b3-a911-aa3fa01094f5", Name: "INTUNE_A"}
	sku := world.SKU{Status: "Enabled", Enabled: seats, Consumed: used}
	switch word {
	case "p2":
		sku.ID, sku.Part, sku.Plans = "06ebc4ee-1bb5-47dd-8120-11324bc54e06", "SPE_E5", []world.Plan{p1, p2, mail, intune}
	case "p1":
		sku.ID, sku.Part, sku.Plans = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "SPB", []world.Plan{p1, mail, intune}
	default:
		sku.ID, sku.Part, sku.Plans = "3b555118-da6a-4418-894f-7df1e2096870", "O365_BUSINESS_ESSENTIALS", []world.Plan{mail}
	}
	return []world.SKU{sku}
}

// trial is a trial of Entra ID P2 that ran out.
func trial() world.SKU {
	return world.SKU{
		ID: "84a661c4-e949-4bd2-a560-ed7766fcaf2b", Part: world.PlanP2, Status: "Suspended", Enabled: 25,
		Plans: []world.Plan{{ID: entra.PlanP2, Name: world.PlanP2}},
	}
}

// guestHome is the name that a guest has at home.
func guestHome(upn, home string) string {
	local, _, _ := strings.Cut(upn, "@")
	local, _, _ = strings.Cut(local, "#EXT#")
	if i := strings.LastIndexByte(local, '_'); i > 0 {
		local = local[:i]
	}
	return fmt.Sprintf("%s@%s", local, home)
}
