package read

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// The shapes whose keys are not Microsoft Graph's own are brought to them here,
// so that one set of readers serves all. Only [DecodeEvent] knows them; the
// keys that tell them apart are odd to the fast decoder.

// foreign recognises such a record and returns it as the two levels DecodeEvent
// reads. ShapeNone means that the record is none.
func foreign(o object) (top, in object, shape Shape) {
	if logs := o.elastic(); logs != nil {
		top, in = o.fromElastic(logs)
		return top, in, ShapeElastic
	}
	if (o.has("accountupn") || o.has("accountobjectid")) && o.has("timestamp") && o.has("errorcode") &&
		(o.has("applicationid") || o.has("application")) {
		in = o.fromHunting()
		return in, in, ShapeHunting
	}
	return nil, nil, ShapeNone
}

// elasticPrefix begins the flat field names of Elastic's azure.signinlogs data
// set, as Kibana lists them.
const elasticPrefix = "azure.signinlogs."

// elastic is the azure.signinlogs object of a document, whether nested or
// written as flat field names.
func (o object) elastic() object {
	if azure := o.object("azure"); azure != nil {
		return azure.object("signinlogs")
	}
	tree := make(map[string]any)
	for k, raw := range o {
		name, ok := strings.CutPrefix(k, elasticPrefix)
		if !ok {
			continue
		}
		at := tree
		parts := strings.Split(name, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[p] = next
			}
			at = next
		}
		if v, leaf := one(raw), parts[len(parts)-1]; v != nil {
			if _, nested := at[leaf].(map[string]any); !nested {
				at[leaf] = v
			}
		}
	}
	if len(tree) == 0 {
		return nil
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return nil
	}
	logs, err := parseObject(raw)
	if err != nil {
		return nil
	}
	return logs
}

// one takes a value out of the list of one that Elastic's fields are, and
// drops the sign that Kibana writes for an empty one.
func one(raw json.RawMessage) any {
	var list []json.RawMessage
	if raw[0] == '[' && json.Unmarshal(raw, &list) == nil && len(list) == 1 {
		raw = list[0]
	}
	if string(raw) == `"-"` || string(raw) == `"(empty)"` {
		return nil
	}
	return raw
}

// fromElastic brings a document of the data set to a diagnostic record: names
// lose their underscores, and what the common schema keeps elsewhere is put
// back.
func (o object) fromElastic(logs object) (top, in object) {
	in = make(object, len(logs))
	if p := logs.object("properties"); p != nil {
		for k, raw := range p {
			in[strings.ReplaceAll(k, "_", "")] = unsnake(raw, 0)
		}
	}
	move := func(to object, name string, raw json.RawMessage) {
		if _, there := to[name]; !there && len(raw) > 0 {
			to[name] = raw
		}
	}
	move(in, "createddatetime", in["createdat"])
	top = make(object, 8)
	for _, k := range [...]string{"category", "identity", "result_type", "result_description"} {
		move(top, strings.ReplaceAll(k, "_", ""), logs[k])
	}
	if _, ok := top["category"]; !ok && signInCategory(logs.text("properties.category")) {
		move(top, "category", in["category"])
	}
	move(top, "time", o.path("@timestamp"))
	move(top, "correlationid", o.path("azure", "correlation_id"))
	move(top, "calleripaddress", o.path("source", "ip"))
	move(top, "calleripaddress", o.path("client", "ip"))
	move(top, "location", o.path("source", "geo", "country_iso_code"))
	move(in, "useragent", o.path("user_agent", "original"))
	move(in, "userprincipalname", o.path("user", "email"))
	move(in, "userid", o.path("user", "id"))
	return top, in
}

// path follows names through nested objects, or takes the flat name they make
// together.
func (o object) path(names ...string) json.RawMessage {
	if raw, ok := o[strings.Join(names, ".")]; ok {
		if v, _ := one(raw).(json.RawMessage); len(v) > 0 {
			return v
		}
		return nil
	}
	at := o
	for _, n := range names[:len(names)-1] {
		if at = at.object(n); at == nil {
			return nil
		}
	}
	return at[names[len(names)-1]]
}

// maxSnake bounds how deep names are looked into; events nest three levels.
const maxSnake = 16

// unsnake takes the underscores out of the names inside a value.
func unsnake(raw json.RawMessage, depth int) json.RawMessage {
	if depth > maxSnake || len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
		return raw
	}
	var made any
	if raw[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return raw
		}
		for i := range list {
			list[i] = unsnake(list[i], depth+1)
		}
		made = list
	} else {
		o, err := parseObject(raw)
		if err != nil {
			return raw
		}
		bare := make(object, len(o))
		for k, v := range o {
			bare[strings.ReplaceAll(k, "_", "")] = unsnake(v, depth+1)
		}
		made = bare
	}
	out, err := json.Marshal(made)
	if err != nil {
		return raw
	}
	return out
}

// huntingNames are the columns of EntraIdSignInEvents and AADSignInEventsBeta
// (advanced hunting of Microsoft Defender) that Graph calls otherwise.
var huntingNames = map[string]string{
	"timestamp": "createddatetime", "application": "appdisplayname", "applicationid": "appid",
	"accountupn": "userprincipalname", "accountobjectid": "userid", "accountdisplayname": "userdisplayname",
	"requestid": "id", "logontype": "signineventtypes", "osplatform": "operating system", "devicetrusttype": "join type",
	"iscompliant": "compliant", "risklevelduringsignin": "risklevelduringsignin",
}

func (o object) fromHunting() object {
	in := make(object, len(o))
	for k, raw := range o {
		if name, ok := huntingNames[k]; ok {
			k = name
		}
		if _, there := in[k]; !there || o[k] == nil {
			in[k] = raw
		}
	}
	for _, t := range in.texts("signineventtypes") {
		switch {
		case texts.ContainsFold(t, "noninteractive"):
			in["isinteractive"] = json.RawMessage("false")
		case texts.ContainsFold(t, "interactive"):
			in["isinteractive"] = json.RawMessage("true")
		}
	}
	if o.tri("isguestuser") == signin.Yes {
		in["usertype"] = json.RawMessage(`"guest"`)
	}
	return in
}

// readDetail reads a row of the portal's authentication details: one step of
// the sign-in that the request id names, which stands in another file of the
// same download. ok is false when the record is no such row.
func readDetail(o object, e *signin.Event) (ok bool) {
	if !o.has("request id") || !o.has("authentication method") || o.has("username") || o.has("user id") || o.has("application") {
		return false
	}
	e.Detail = true
	e.ID = o.text("request id")
	readCreated(o.text("date (utc)"), false, e)
	e.Steps = []signin.Step{{
		Method: o.text("authentication method"), MethodDetail: o.text("authentication method detail"),
		Succeeded: o.tri("succeeded"), ResultDetail: o.text("result detail"), Requirement: o.text("requirement"),
	}}
	return true
}

// readAudit reads UserLoggedIn and UserLoginFailed of the unified audit log: a
// record of the Office 365 Management Activity API, or a row of an export that
// carries it as JSON text in AuditData. ok is false when it is no sign-in.
//
// The log says who signed in from where, never whether MFA was asked for;
// UserAuthenticationMethod in it is not documented and proves nothing.
func readAudit(o object, e *signin.Event) (ok bool) {
	in := o
	if data := o.object("auditdata"); data != nil {
		in = data
	}
	operation := in.text("operation")
	if operation == "" {
		operation = o.text("operation", "operations")
	}
	failed := strings.EqualFold(operation, "UserLoginFailed")
	if !failed && !strings.EqualFold(operation, "UserLoggedIn") || !auditRecord(o) {
		return false
	}
	e.Audit = true
	e.ID = texts.Either(in.text("id"), o.text("recordid", "identity"))
	e.CorrelationID = in.text("intersystemsid")
	raw := in.text("creationtime", "createddatetime")
	if raw == "" {
		raw = o.text("creationdate", "createddatetime")
	}
	readCreated(raw, false, e)
	readAuditActor(o, in, e)
	e.AppID = in.text("applicationid", "appid")
	e.ResourceID = in.text("objectid")
	if !isGUID(e.ResourceID) {
		e.ResourceID = ""
	}
	e.IPAddress = in.text("actoripaddress", "clientip", "clientipaddress")
	extended := in.pairs("extendedproperties")
	e.UserAgent = extended["useragent"]
	device := in.pairs("deviceproperties")
	e.OperatingSystem = device["os"]
	e.DeviceTrustType = device["trusttype"]
	var compliant lenient.Bool
	if compliant.UnmarshalJSON(quoted(device["iscompliant"])) == nil && compliant.Set {
		e.DeviceCompliant = signin.No
		if compliant.Value {
			e.DeviceCompliant = signin.Yes
		}
	}
	e.FailureReason = in.text("logonerror")
	e.HasStatus = true
	if code := in.outcome("errornumber"); code.hasCode {
		e.ErrorCode = code.code
	}
	if bad := in.outcome("resultstatus").word < 0 || failed; bad && e.ErrorCode == 0 {
		e.ErrorCode = -1
	}
	return true
}

// auditRecord tells a record of the audit log from anything else that has an
// operation.
func auditRecord(o object) bool {
	return o.has("auditdata") || (o.has("recordtype") || o.has("auditlogrecordtype") || o.has("workload") || o.has("azureactivedirectoryeventtype")) &&
		(o.has("creationtime") || o.has("creationdate") || o.has("createddatetime"))
}

// readAuditActor names the user. UserId is the principal name, but also "Not
// Available", an object id, or the long id of a service.
func readAuditActor(o, in object, e *signin.Event) {
	name := in.text("userid")
	if name == "" {
		name = o.text("userid", "userids", "userprincipalname")
	}
	ids := []string{name, in.text("userkey")}
	for _, a := range in.objects("actor") {
		ids = append(ids, a.text("id"))
	}
	for _, id := range ids {
		switch {
		case e.UserID == "" && isGUID(id):
			e.UserID = id
		case e.UserPrincipalName == "" && strings.Contains(id, "@") && !strings.ContainsAny(id, " \\/"):
			// The key of older records is an id of Exchange, no address anybody has.
			if local, _, _ := strings.Cut(id, "@"); len(local) != 16 || !isHex(local) {
				e.UserPrincipalName = id
			}
		}
	}
	switch in.text("usertype") {
	case "5", "6", "Application", "ServicePrincipal":
		if e.UserPrincipalName == "" {
			e.ServicePrincipalID, e.UserID = texts.Either(e.UserID, name), ""
		}
	}
}

func isGUID(s string) bool {
	_, _, ok := texts.GUID(s)
	return ok
}

func isHex(s string) bool {
	for i := range len(s) {
		if texts.HexDigit[s[i]]&0x80 != 0 {
			return false
		}
	}
	return true
}

// pairs reads a list of {Name, Value} by name in lower case.
func (o object) pairs(key string) map[string]string {
	m := make(map[string]string)
	for _, p := range o.objects(key) {
		if name := strings.ToLower(p.text("name")); name != "" && len(m) < 256 {
			m[name] = p.text("value")
		}
	}
	return m
}

// quoted is s as a JSON text.
func quoted(s string) []byte {
	b, _ := json.Marshal(s) // a text always has one
	return b
}

// TypeName reports the name of a .NET type, which Export-Csv and ConvertTo-Json
// write where a value is too deep for them: System.Object[],
// Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus.
func TypeName(s string) bool {
	if len(s) < 8 || len(s) > 200 || !strings.HasPrefix(s, "System.") && !strings.HasPrefix(s, "Microsoft.") && !strings.HasPrefix(s, "Deserialized.") {
		return false
	}
	return !strings.ContainsAny(s, " \t\n@:/") && utf8.ValidString(s) &&
		(strings.HasPrefix(s, "System.") || strings.Count(s, ".") >= 2)
}

// oddPlace reports a place that is more than a name: the slow decoder reads it.
func oddPlace(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '{', '@', ' ', '\t', '\n', '\r', 'S', 'M', 'D':
		t := strings.TrimSpace(s)
		return strings.HasPrefix(t, "{") || strings.HasPrefix(t, "@{") || TypeName(t)
	}
	return false
}

// psObject reads PowerShell's text form of an object, @{Name=value; Name=value},
// as JSON with text values. Values that hold "; " come out short, which no
// field read from it does.
func psObject(text string) json.RawMessage {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), "@{")
	if !ok {
		return nil
	}
	if body, ok = strings.CutSuffix(body, "}"); !ok {
		return nil
	}
	m := make(map[string]string)
	for part := range strings.SplitSeq(body, "; ") {
		if name, value, ok := strings.Cut(part, "="); ok && len(m) < 256 && !TypeName(value) {
			m[name] = value
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	return raw
}
