package graph

import (
	"encoding/json"
	"maps"
	"net/url"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// The authentication methods policy (contracts.md section 3.8).

func isExternalConfig(d *world.Document) bool {
	m := decodeObject(d.Raw)
	return strings.HasSuffix(str(m, "@odata.type"), "externalAuthenticationMethodConfiguration") || m["openIdConnectSetting"] != nil
}

// configKind is the Graph type of a configuration.
func configKind(d *document) string {
	var typ string
	_ = json.Unmarshal(d.all["@odata.type"], &typ)
	if typ = strings.TrimPrefix(typ, "#microsoft.graph."); typ != "" {
		return typ
	}
	if d.all["openIdConnectSetting"] != nil {
		return "externalAuthenticationMethodConfiguration"
	}
	for _, name := range words("fido2 microsoftAuthenticator sms temporaryAccessPass softwareOath hardwareOath email voice x509Certificate qrCodePin") {
		kind := name + "AuthenticationMethodConfiguration"
		if strings.EqualFold(name, d.id) {
			return kind
		}
	}
	return "authenticationMethodConfiguration"
}

// shownConfig is a configuration as Graph shows it.
func (c *call) shownConfig(d *world.Document) (*document, bool) {
	m := decodeObject(d.Raw)
	m["id"] = d.ID
	if m["state"] == nil {
		m["state"] = "disabled"
	}
	if m["excludeTargets"] == nil {
		m["excludeTargets"] = []any{}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		raw = d.Raw
	}
	doc := newDocument(d.ID, raw)
	kind := configKind(doc)
	_, exists := properties()[kind]
	known, _ := knownProperty(kind, "id", c.beta)
	return doc, exists && known
}

func targetsSpec() *spec {
	return list(obj(fields{
		"id": text().need(), "targetType": enum("user group").need(), "isRegistrationRequired": flag(), "authenticationMode": text(),
		"isUsableForSignIn": flag(),
	}))
}

// completeTargets writes what is not said of who is included: isRegistrationRequired is
// never absent (contracts section 3.8).
func completeTargets(m map[string]any) {
	list, _ := m["includeTargets"].([]any)
	for _, x := range list {
		if target, _ := x.(map[string]any); target != nil && target["isRegistrationRequired"] == nil {
			target["isRegistrationRequired"] = false
		}
	}
}

func listConfigs(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, configsPath, c.g.sh.config, slice(c.configs(t), func(r any) string { e := r.(*entity); return e.key(e.row) }))
}

func getConfig(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if d := t.MethodConfigs.Get(c.params[0]); d != nil {
		if doc, ok := c.shownConfig(d); ok {
			return c.one(t, configsPath, c.g.sh.config, c.withTargets(doc))
		}
	}
	return nil, notFound(c.params[0])
}

// externalFields are what a POST of an external method's configuration may hold.
func externalFields() fields {
	return fields{
		"id": readOnly(), "displayName": text().need().upTo(200), "appId": text().need(), "state": enum("enabled disabled"),
		"openIdConnectSetting": obj(fields{
			"clientId": text().need(), "discoveryUrl": text().need(),
		}).need(), "includeTargets": targetsSpec(), "excludeTargets": targetsSpec(),
	}
}

func createConfig(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if str(c.in, "@odata.type") != "#microsoft.graph.externalAuthenticationMethodConfiguration" {
		return nil, badRequest("Only configurations of type #microsoft.graph.externalAuthenticationMethodConfiguration can be created.")
	}
	if err := externalFields().check("", c.in); err != nil {
		return nil, err
	}
	if err := judgeExternal(s, t, "", c.in); err != nil {
		return nil, err
	}
	everybody := map[string]any{"id": "all_users", "targetType": "group", "isRegistrationRequired": false}
	m := merge(map[string]any{"state": "disabled", "includeTargets": []any{everybody}, "excludeTargets": []any{}}, c.in)
	completeTargets(m)
	d := &world.Document{ID: world.NewGUID(), Created: c.now}
	m["id"] = d.ID
	if err := keepDocument(s, t, &t.MethodConfigs, d, m); err != nil {
		return nil, err
	}
	c.auditMethods(s, t, "Add", target("Policy", d.ID, str(m, "displayName")), world.Modified{
		Name: "AuthenticationMethodConfiguration", Old: "", New: string(d.Raw),
	})
	doc, _ := c.shownConfig(d)
	return c.created(t, configsPath, c.g.sh.config, c.withTargets(doc))
}

func changeConfig(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	m := decodeObject(old.Raw)
	m["id"] = old.ID
	if isExternalConfig(old) {
		fs := externalFields()
		fs["displayName"], fs["appId"] = readOnly(), text()
		if str(c.in, "id") == old.ID {
			fs["id"] = text()
		}
		if given(c.in, "displayName") && str(c.in, "displayName") == str(m, "displayName") {
			fs["displayName"] = text()
		}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		if err := judgeExternal(s, t, old.ID, merge(m, c.in)); err != nil {
			return nil, err
		}
	} else if err := judgeConfig(t, merge(m, c.in), c.in); err != nil {
		return nil, err
	}
	d := *old
	d.Changed = c.now
	changed := merge(m, c.in)
	completeTargets(changed)
	if err := keepDocument(s, t, &t.MethodConfigs, &d, changed); err != nil {
		return nil, err
	}
	c.auditMethods(s, t, "Update", target("Policy", d.ID, str(m, "displayName")),
		differing("AuthenticationMethodConfiguration", m, decodeObject(d.Raw)))
	return noContent()
}

func deleteConfig(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	if !isExternalConfig(old) {
		return nil, badRequest("Only external authentication methods can be deleted.")
	}
	t.MethodConfigs.Delete(old.ID)
	s.Touch(t)
	c.auditMethods(s, t, "Delete", target("Policy", old.ID, str(decodeObject(old.Raw), "displayName")))
	return noContent()
}

// configFields are what a PATCH of a built-in method's configuration may hold, by the
// method.
func configFields(id string) fields {
	fs := fields{"id": readOnly(), "state": enum("enabled disabled"), "includeTargets": targetsSpec(), "excludeTargets": targetsSpec()}
	more := fields{}
	switch strings.ToLower(id) {
	case "fido2":
		more = fields{
			"isSelfServiceRegistrationAllowed": flag(), "isAttestationEnforced": flag(), "defaultPasskeyProfile": text(), "passkeyProfiles": anything(),
			"keyRestrictions": obj(fields{"isEnforced": flag(), "enforcementType": enum("allow block"), "aaGuids": list(text())}),
		}
	case "microsoftauthenticator":
		more = fields{"isSoftwareOathEnabled": flag(), "featureSettings": anything()}
	case "temporaryaccesspass":
		more = fields{
			"defaultLifetimeInMinutes": number(), "defaultLength": number(), "minimumLifetimeInMinutes": number(), "maximumLifetimeInMinutes": number(),
			"isUsableOnce": flag(),
		}
	case "voice":
		more = fields{"isOfficePhoneAllowed": flag(), "callerIdNumber": text().upTo(20)}
	case "email":
		more = fields{"allowExternalIdToUseEmailOtp": enum("default enabled disabled")}
	case "x509certificate":
		more = fields{
			"authenticationModeConfiguration": anything(), "certificateAuthorityScopes": anything(), "certificateUserBindings": anything(),
			"crlValidationConfiguration": anything(), "issuerHintsConfiguration": anything(),
		}
	case "qrcodepin":
		more = fields{"pinLength": number(), "standardQRCodeLifetimeInDays": number()}
	}
	maps.Copy(fs, more)
	return fs
}

// judgeConfig checks the change of a built-in method's configuration, and what it
// becomes.
func judgeConfig(t *world.Tenant, m, change map[string]any) error {
	if err := configFields(str(m, "id")).check("", change); err != nil {
		return err
	}
	if err := judgeTargets(t, change); err != nil {
		return err
	}
	if !strings.EqualFold(str(m, "id"), "TemporaryAccessPass") {
		return nil
	}
	least, most := whole(m, "minimumLifetimeInMinutes", 60), whole(m, "maximumLifetimeInMinutes", 480)
	usual, length := whole(m, "defaultLifetimeInMinutes", least), whole(m, "defaultLength", 8)
	if least < 10 || most > 43_200 || least > most || usual < least || usual > most || length < 8 || length > 48 {
		return badRequest("The lifetimes of passes must be between 10 minutes and 30 days with the default between them, their length between 8 and 48.")
	}
	return nil
}

// judgeExternal refuses a configuration that could not work.
func judgeExternal(s *world.State, t *world.Tenant, id string, m map[string]any) error {
	oidc := inner(m, "openIdConnectSetting")
	if str(m, "displayName") == "" || str(m, "appId") == "" || str(oidc, "clientId") == "" || str(oidc, "discoveryUrl") == "" {
		return badRequest("An external authentication method needs displayName, appId and openIdConnectSetting with clientId and discoveryUrl.")
	}
	if _, ok := s.Client(str(m, "appId")); !ok {
		return badRequest("The application '%s' does not exist.", clip(str(m, "appId")))
	}
	// It can be saved without consent, and not enabled (contracts-2026-11.md section 2).
	if str(m, "state") == "enabled" && t.SP(str(m, "appId")) == nil {
		return badRequest("The application '%s' has no consent in this tenant: the method can be saved, and not enabled.", clip(str(m, "appId")))
	}
	u, err := url.Parse(str(oidc, "discoveryUrl"))
	if err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/.well-known/openid-configuration") {
		return badRequest("The discoveryUrl must be an address that ends in /.well-known/openid-configuration.")
	}
	if host := u.Hostname(); u.Scheme != "https" && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return badRequest("The discoveryUrl must use https.")
	}
	for d := range t.MethodConfigs.All() {
		if !strings.EqualFold(d.ID, id) && isExternalConfig(d) && strings.EqualFold(str(decodeObject(d.Raw), "displayName"), str(m, "displayName")) {
			return badRequest("An external authentication method of the name '%s' exists already.", clip(str(m, "displayName")))
		}
	}
	for _, k := range []string{"includeTargets", "excludeTargets"} {
		for _, x := range objs(m, k) {
			if tid := str(x, "id"); tid != "all_users" && t.Groups.Get(tid) == nil {
				return badRequest("The group '%s' does not exist.", clip(tid))
			}
		}
	}
	return nil
}
