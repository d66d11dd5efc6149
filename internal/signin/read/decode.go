package read

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

var errNotObject = errors.New("one JSON object expected")

// DecodeEvent reads one sign-in of any shape from one JSON object. It is the
// plain, slow reader on encoding/json; [Decoder] must agree with it on every
// input, which the tests check.
//
// Keys compare without case, the last of equal keys wins, and a value of an
// unusable type reads as absent. The error is not nil only when raw is not one
// valid JSON object. An object that is not a sign-in gives [ShapeNone] and an
// empty event. Strings do not alias raw. Safe for concurrent use.
func DecodeEvent(raw []byte, e *signin.Event) (Shape, error) {
	*e = signin.Event{}
	top, err := parseObject(raw)
	if err != nil {
		return ShapeNone, err
	}
	switch {
	case readDetail(top, e):
		return ShapeDetail, nil
	case readAudit(top, e):
		return ShapeAudit, nil
	}
	var f facts
	in := top
	if t, i, shape := foreign(top); shape != ShapeNone {
		top, in, f.shape = t, i, shape
	} else if p := top.object("properties"); p != nil {
		in, f.shape = p, ShapeDiagnostic
	} else {
		f.shape = flatShape(top)
	}
	f.otherKind = otherKind(top) || otherKind(in)

	readClock(top, in, e, &f)
	readIdentity(top, in, e, &f)
	readDevice(in, e)
	readOutcome(top, in, e, &f)
	readMFA(in, e, &f)
	f.settle(e)
	spellOut(e)
	e.Joinable = f.shape == ShapePortal && len(e.Steps) == 0
	shape := f.classify(e)
	if shape == ShapeNone {
		*e = signin.Event{}
	}
	return shape, nil
}

// Recognise reports whether raw is a sign-in event of any shape, and not
// another kind of record. Safe for concurrent use.
func Recognise(raw []byte) bool { return ShapeOf(raw) != ShapeNone }

// ShapeOf says which export raw came from, ShapeNone when it is no record of a
// sign-in. Safe for concurrent use.
func ShapeOf(raw []byte) Shape {
	d := recognisers.Get().(*Decoder)
	defer recognisers.Put(d)
	shape, err := d.Decode(raw, &d.scratch)
	if err != nil {
		return ShapeNone
	}
	return shape
}

// recognisers holds decoders between calls; what they remember changes no
// answer.
var recognisers = sync.Pool{New: func() any { return new(Decoder) }}

func flatShape(o object) Shape {
	switch {
	case o.has("date (utc)") || o.has("request id"):
		return ShapePortal
	case o.has("timegenerated") || o.has("resulttype") || o.has("status_dynamic") || o.has("status_string") ||
		o.has("type") && signInCategory(tableCategory(o.text("type"))):
		return ShapeLogAnalytics
	case o.has("category"):
		return ShapeDiagnostic
	}
	return ShapeGraph
}

// otherKind names keys of directory audits, risk detections and the like.
func otherKind(o object) bool {
	return o.has("activitydatetime") || o.has("activitydisplayname") || o.has("riskeventtype") || o.has("detecteddatetime")
}

func readClock(top, in object, e *signin.Event, f *facts) {
	e.Observed, _ = lenient.ParseTime(top.text("time", "timegenerated"))
	for _, c := range [...]struct {
		in  object
		key string
	}{{in, "createddatetime"}, {in, "date (utc)"}, {top, "time"}, {top, "timegenerated"}} { // the last two: the exporter's clock stands in
		raw := c.in.text(c.key)
		if raw == "" || raw[0] != '/' && len(c.in[c.key]) > 0 && c.in[c.key][0] != '"' { // PowerShell's object of a clock, or a number
			var t lenient.Time
			if t.UnmarshalJSON(c.in[c.key]) == nil && t.Set && t.Year() >= 2000 {
				raw = t.UTC().Format(time.RFC3339Nano)
			}
		}
		if raw != "" {
			f.clock = readZoned(raw, c.in.zone(c.key), f.shape == ShapeDiagnostic, e)
			return
		}
	}
}

func readIdentity(top, in object, e *signin.Event, f *facts) {
	portal := f.shape == ShapePortal
	e.ID = in.text("id", "request id")
	e.CorrelationID = texts.Either(in.text("correlationid", "correlation id"), top.text("correlationid"))
	e.UserID = in.text("userid", "user id")
	e.UserPrincipalName = in.text("userprincipalname", "username")
	e.UserDisplayName = in.text("userdisplayname")
	e.UserType = in.text("usertype", "user type")
	e.AppID = in.text("appid", "application id")
	e.AppDisplayName = in.text("appdisplayname")
	e.ResourceID = in.text("resourceidentity", "resourceid", "resource id")
	if strings.HasPrefix(e.ResourceID, "/") { // the log's own Azure resource
		e.ResourceID = ""
	}
	e.ResourceDisplayName = in.text("resourcedisplayname")
	if portal {
		e.UserDisplayName = texts.Either(e.UserDisplayName, in.text("user"))
		e.AppDisplayName = texts.Either(e.AppDisplayName, in.text("application"))
		e.ResourceDisplayName = texts.Either(e.ResourceDisplayName, in.text("resource"))
	}
	e.ResourceTenantID = in.text("resourcetenantid", "resource tenant id")
	e.HomeTenantID = in.text("hometenantid", "home tenant id")
	e.IPAddress = texts.Either(in.text("ipaddress", "ip address"), top.text("calleripaddress"))
	e.Country = readCountry(top, in)
	e.ServicePrincipalID = in.text("serviceprincipalid", "service principal id")
	e.ServicePrincipalName = in.text("serviceprincipalname", "service principal name")
	if e.UserDisplayName == "" && e.ServicePrincipalID == "" {
		e.UserDisplayName = top.text("identity")
	}
	e.ClientAppUsed = in.text("clientappused", "client app")
	e.UserAgent = in.text("useragent", "user agent")
	e.AuthenticationProtocol = in.text("authenticationprotocol", "authentication protocol")
	e.OriginalTransferMethod = in.text("originaltransfermethod", "original transfer method")
	e.IncomingTokenType = in.text("incomingtokentype", "incoming token type")
	e.CrossTenantAccessType = in.text("crosstenantaccesstype", "cross tenant access type")
	e.TokenIssuerType = in.text("tokenissuertype", "token issuer type")
	e.ConditionalAccessStatus = in.text("conditionalaccessstatus", "conditional access")
	e.RiskLevelDuringSignIn = in.text("risklevelduringsignin")
	e.Category = texts.Either(top.text("category"), in.text("category"))
	if e.Category == "" {
		if table := tableCategory(top.text("type")); signInCategory(table) {
			e.Category, f.byTable = table, true
		}
	}
	e.EventTypes = in.texts("signineventtypes")
	e.Interactive = in.tri("isinteractive")
}

func readCountry(top, in object) string {
	for _, k := range []string{"location", "locationdetails"} {
		if place := in.object(k); place != nil {
			if c := place.text("countryorregion"); c != "" {
				return c
			}
		}
	}
	for _, o := range []object{in, top} {
		if place := o.text("location"); !oddPlace(place) {
			if c := lastPart(place); c != "" {
				return c
			}
		}
	}
	return lastPart(in.text("country", "countryorregion"))
}

func readDevice(in object, e *signin.Event) {
	if d := in.object("devicedetail"); d != nil {
		e.OperatingSystem = d.text("operatingsystem")
		e.DeviceCompliant = d.tri("iscompliant")
		e.DeviceTrustType = d.text("trusttype")
	}
	e.OperatingSystem = texts.Either(e.OperatingSystem, in.text("operating system"))
	if e.DeviceCompliant == signin.Unset {
		e.DeviceCompliant = in.tri("compliant")
	}
	e.DeviceTrustType = texts.Either(e.DeviceTrustType, in.text("join type"))
}

func readOutcome(top, in object, e *signin.Event, f *facts) {
	if s := in.object("status"); s != nil {
		f.status = s.outcome("errorcode")
		e.FailureReason = s.text("failurereason")
		e.AdditionalDetails = s.text("additionaldetails")
	} else {
		f.status = in.outcome("status")
	}
	if !f.status.hasCode { // as scripts flatten it
		if code := in.outcome("errorcode"); code.hasCode {
			f.status = outcome{code.code, true, f.status.word}
		}
	}
	f.resultType = top.outcome("resulttype")
	f.signInCode = in.outcome("sign-in error code")
	e.FailureReason = texts.Either(e.FailureReason, in.text("failure reason"))
	e.FailureReason = texts.Either(e.FailureReason, top.text("resultdescription"))
	e.AdditionalDetails = texts.Either(e.AdditionalDetails, in.text("multifactor authentication result", "additionaldetails"))
}

func readMFA(in object, e *signin.Event, f *facts) {
	e.AuthenticationRequirement = in.text("authenticationrequirement", "authentication requirement")
	e.HasMFAFields = in.has("authenticationrequirement") || in.has("authenticationdetails") || in.has("mfadetail") ||
		in.has("authentication requirement") || in.has("multifactor authentication result")
	if m := in.object("mfadetail"); m != nil {
		e.MFAAuthMethod = m.text("authmethod")
		e.MFAAuthDetail = m.text("authdetail")
	}
	e.MFAAuthMethod = texts.Either(e.MFAAuthMethod, in.text("multifactor authentication auth method"))
	e.MFAAuthDetail = texts.Either(e.MFAAuthDetail, in.text("multifactor authentication auth detail"))
	for _, s := range in.objects("authenticationdetails") {
		e.Steps = append(e.Steps, signin.Step{
			Method: s.text("authenticationmethod"), MethodDetail: s.text("authenticationmethoddetail"),
			Succeeded:    s.tri("succeeded"),
			ResultDetail: s.text("authenticationstepresultdetail"), Requirement: s.text("authenticationsteprequirement"),
		})
	}
	for _, p := range in.objects("authenticationrequirementpolicies") {
		e.RequirementPolicies = append(e.RequirementPolicies, signin.RequirementPolicy{
			Provider: p.text("requirementprovider"), Detail: p.text("detail"),
		})
	}
	list := in.objects("appliedconditionalaccesspolicies")
	if len(list) == 0 {
		list = in.objects("conditionalaccesspolicies")
	}
	for _, p := range list {
		e.Policies = append(e.Policies, signin.AppliedPolicy{
			ID: p.text("id"), DisplayName: p.text("displayname"), Result: p.text("result"),
			GrantControls: p.texts("enforcedgrantcontrols"),
		})
	}
}

// object is a JSON object by folded key; of equal keys the last one stays.
type object map[string]json.RawMessage

func parseObject(raw []byte) (object, error) {
	if !json.Valid(raw) {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		return nil, errNotObject
	}
	o := make(object, 64)
	if !lenient.Members(raw, o.put) {
		return nil, errNotObject
	}
	return o, nil
}

// put keeps a member.
func (o object) put(key string, v json.RawMessage) {
	k := foldKey(key)
	if zone := zoneOf(key); zone != "" {
		if _, there := o[k]; there && o[zoneMark+k] == nil {
			return // the column in UTC, which is better
		}
		o[zoneMark+k] = quoted(zone)
	} else if o[zoneMark+k] != nil {
		delete(o, zoneMark+k)
	}
	o[k] = v
}

// zoneMark begins the names under which an object keeps the zone that a key
// carried. No folded key begins so.
const zoneMark = "\x00zone "

// zoneOf is what a key says in brackets of the zone of its clocks, "" for UTC.
func zoneOf(k string) string {
	k = strings.TrimSpace(k)
	open := strings.LastIndexByte(k, '[')
	if open < 1 || !strings.HasSuffix(k, "]") {
		return ""
	}
	switch zone := strings.ToLower(strings.TrimSpace(k[open+1 : len(k)-1])); zone {
	case "utc", "gmt", "z", "utc+00:00", "utc+0", "utc+00":
		return ""
	default:
		return texts.Either(zone, "local time")
	}
}

// LocalZone reports a column name that says that its clocks are in another
// zone than UTC, as Log Analytics writes it: "TimeGenerated [Local Time]".
func LocalZone(column string) bool { return zoneOf(column) != "" }

// zone is what the column of key says of its zone, "" for UTC or nothing.
func (o object) zone(key string) string {
	if o[zoneMark+key] == nil {
		return ""
	}
	return o.text(zoneMark + key)
}

// foldKey is the form keys are compared in: lower case, including the two
// letters outside ASCII that fold into it, inner blanks as one space, and
// without the zone in brackets that Log Analytics adds to clock columns.
func foldKey(k string) string {
	if strings.ContainsAny(k, " \t\u00a0\u2019") {
		k = strings.Join(strings.Fields(strings.ReplaceAll(k, "\u00a0", " ")), " ")
	}
	k = strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + ('a' - 'A')
		case r == '\u017f':
			return 's'
		case r == '\u212a':
			return 'k'
		}
		return r
	}, k)
	if strings.HasSuffix(k, "]") {
		if i := strings.LastIndex(k, " ["); i > 0 {
			k = k[:i]
		}
	}
	return k
}

// suffixes are what Log Analytics appends to columns that changed their type.
var suffixes = [...]string{"", "_dynamic", "_string"}

func (o object) has(key string) bool {
	for _, s := range suffixes {
		if _, ok := o[key+s]; ok {
			return true
		}
	}
	return false
}

// text is the first non-empty text among keys; numbers and booleans read as
// they are written.
func (o object) text(keys ...string) string {
	for _, k := range keys {
		for _, s := range suffixes {
			var v lenient.String
			if raw, ok := o[k+s]; ok && v.UnmarshalJSON(raw) == nil && v != "" {
				return string(v)
			}
		}
	}
	return ""
}

func (o object) tri(key string) signin.Tri {
	var v lenient.Bool
	if raw, ok := o[key]; ok && v.UnmarshalJSON(raw) == nil && v.Set {
		if v.Value {
			return signin.Yes
		}
		return signin.No
	}
	return signin.Unset
}

func (o object) texts(key string) []string {
	var v lenient.Strings
	if raw, ok := o[key]; ok && v.UnmarshalJSON(raw) == nil && len(v) > 0 {
		return v
	}
	return nil
}

// object is the object under key, also when written as JSON text; nil when
// there is none with at least one key.
func (o object) object(key string) object {
	for _, s := range suffixes {
		raw := o[key+s]
		if t := strings.TrimSpace(o.text(key + s)); strings.HasPrefix(t, "{") {
			raw = json.RawMessage(t)
		} else if strings.HasPrefix(t, "@{") {
			raw = psObject(t)
		}
		if len(raw) == 0 || raw[0] != '{' {
			continue
		}
		if v, err := parseObject(raw); err == nil && len(v) > 0 {
			return v
		}
	}
	return o.flattened(key)
}

// flattenedKeys are the objects whose members scripts write as columns of their
// own: Status.ErrorCode, location/countryOrRegion, DeviceDetail_TrustType.
var flattenedKeys = [...]string{"status", "location", "devicedetail", "mfadetail"}

func (o object) flattened(key string) object {
	if !slices.Contains(flattenedKeys[:], key) {
		return nil
	}
	var in object
	for k, raw := range o {
		if name := flattenedName(k, key); name != "" {
			if in == nil {
				in = make(object)
			}
			in[name] = raw
		}
	}
	return in
}

// flattenedName is the member's name in a flattened key of object, or "".
func flattenedName(k, object string) string {
	rest, ok := strings.CutPrefix(k, object)
	if !ok || len(rest) < 2 || !strings.ContainsRune("./_", rune(rest[0])) || rest == "_dynamic" || rest == "_string" {
		return ""
	}
	return rest[1:]
}

// objects is the list of objects under key, whether written as an array, as
// one object or as JSON text; elements that are not objects are left out.
func (o object) objects(key string) []object {
	for _, s := range suffixes {
		var l lenient.List[json.RawMessage]
		raw, ok := o[key+s]
		if !ok || l.UnmarshalJSON(raw) != nil || len(l.Items) == 0 {
			continue
		}
		list := make([]object, 0, len(l.Items))
		for _, item := range l.Items {
			if v, err := parseObject(item); err == nil {
				list = append(list, v)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// outcome reads a code, or a word that stands for one.
func (o object) outcome(key string) outcome {
	raw, ok := o[key]
	if !ok {
		return outcome{}
	}
	var n lenient.Int
	if n.UnmarshalJSON(raw) == nil && n.Set {
		if n.Value < math.MinInt32 || n.Value > math.MaxInt32 {
			return outcome{}
		}
		return outcome{code: int32(n.Value), hasCode: true}
	}
	return outcome{word: wordOutcome(o.text(key))}
}
