package read

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// Table is the columns of a CSV of sign-ins: Log Analytics', the portal's, or any
// other whose columns have the names of plain members. A row read by it gives the
// event that [DecodeEvent] makes of the row as an object of texts. It is made once
// and may be used by several goroutines.
type Table struct {
	width                                             int
	portal, logAnalytics, diagnostic                  bool // by the columns alone
	created, observed, typ, category, identity, place []int
	plain                                             []plainColumn
	country, address, result, resultWord              []int
	errorCode, resultType, signInCode, statusCode     int
	statusWord, errorWord, signInWord                 []int
	interactive, compliant                            int
	nested                                            []nestedColumn
	hasMFA                                            bool
	failure, details, system, join, method, detail    []int
}

// plainColumn: the first of the columns that says something goes there.
type plainColumn struct {
	columns []int
	offset  uintptr
}

// nestedColumn holds JSON that stands under key in Graph's form.
type nestedColumn struct {
	key     string // with quotes and colon
	columns []int
	list    bool
	lone    bool // only the column itself
}

// tableFields are the texts that go into an event as they are, by the names that
// [DecodeEvent] looks for in turn.
var tableFields = func() (list []struct {
	names  []string
	offset uintptr
}) {
	var e signin.Event
	for _, f := range []struct {
		to    *string
		names string
	}{
		{&e.ID, "id|request id"}, {&e.CorrelationID, "correlationid|correlation id"}, {&e.UserID, "userid|user id"},
		{&e.UserPrincipalName, "userprincipalname|username"}, {&e.UserDisplayName, "userdisplayname"}, {&e.UserType, "usertype|user type"},
		{&e.AppID, "appid|application id"}, {&e.AppDisplayName, "appdisplayname"}, {&e.ResourceID, "resourceidentity|resourceid|resource id"},
		{&e.ResourceDisplayName, "resourcedisplayname"}, {&e.ResourceTenantID, "resourcetenantid|resource tenant id"},
		{&e.HomeTenantID, "hometenantid|home tenant id"}, {&e.IPAddress, "ipaddress|ip address"},
		{&e.ServicePrincipalID, "serviceprincipalid|service principal id"}, {&e.ServicePrincipalName, "serviceprincipalname|service principal name"},
		{&e.ClientAppUsed, "clientappused|client app"}, {&e.UserAgent, "useragent|user agent"},
		{&e.AuthenticationProtocol, "authenticationprotocol|authentication protocol"},
		{&e.OriginalTransferMethod, "originaltransfermethod|original transfer method"}, {&e.IncomingTokenType, "incomingtokentype|incoming token type"},
		{&e.CrossTenantAccessType, "crosstenantaccesstype|cross tenant access type"}, {&e.TokenIssuerType, "tokenissuertype|token issuer type"},
		{&e.ConditionalAccessStatus, "conditionalaccessstatus|conditional access"}, {&e.RiskLevelDuringSignIn, "risklevelduringsignin"},
		{&e.AuthenticationRequirement, "authenticationrequirement|authentication requirement"},
	} {
		list = append(list, struct {
			names  []string
			offset uintptr
		}{strings.Split(f.names, "|"), uintptr(unsafe.Pointer(f.to)) - uintptr(unsafe.Pointer(&e))})
	}
	return list
}()

// NewTable makes a table of columns by their names, or nil where rows under them have
// to be read one by one.
func NewTable(names []string) *Table {
	o := make(map[string]int, len(names))
	for i, name := range names {
		if zoneOf(name) != "" {
			return nil
		}
		k := foldKey(name)
		o[k] = i
		if strings.HasPrefix(k, elasticPrefix) {
			return nil
		}
		for _, object := range flattenedKeys {
			if flattenedName(k, object) != "" {
				return nil
			}
		}
	}
	has := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool {
			return slices.ContainsFunc(suffixes[:], func(s string) bool { _, ok := o[k+s]; return ok })
		})
	}
	if has("properties", "azure", "auditdata", "operation", "operations", "accountupn", "accountobjectid", "activitydatetime", "activitydisplayname",
		"riskeventtype", "detecteddatetime") || has("request id") && has("authentication method") {
		return nil
	}
	cols := func(keys ...string) (list []int) {
		for _, k := range keys {
			for _, s := range suffixes {
				if i, ok := o[k+s]; ok {
					list = append(list, i)
				}
			}
		}
		return list
	}
	lone := func(key string) int {
		if i, ok := o[key]; ok {
			return i
		}
		return -1
	}
	t := &Table{
		width: len(names), portal: has("date (utc)", "request id"), logAnalytics: has("timegenerated", "resulttype", "status_dynamic", "status_string"),
		diagnostic: has("category"), observed: cols("time", "timegenerated"), created: cols("createddatetime", "date (utc)", "time", "timegenerated"),
		typ: cols("type"), category: cols("category"), identity: cols("identity"), place: cols("location"), country: cols("country", "countryorregion"),
		address: cols("calleripaddress"), errorCode: lone("errorcode"), resultType: lone("resulttype"), signInCode: lone("sign-in error code"),
		statusCode: lone("status"), statusWord: cols("status"), errorWord: cols("errorcode"), resultWord: cols("resulttype"),
		signInWord:  cols("sign-in error code"),
		interactive: lone("isinteractive"), compliant: lone("compliant"), failure: cols("failure reason"), result: cols("resultdescription"),
		details: cols("multifactor authentication result", "additionaldetails"), system: cols("operating system"), join: cols("join type"),
		method: cols("multifactor authentication auth method"), detail: cols("multifactor authentication auth detail"),
		hasMFA: has("authenticationrequirement", "authenticationdetails", "mfadetail", "authentication requirement", "multifactor authentication result"),
	}
	for _, f := range tableFields {
		if list := cols(f.names...); len(list) > 0 {
			t.plain = append(t.plain, plainColumn{list, f.offset})
		}
	}
	t.portalNames(cols)
	for _, n := range []nestedColumn{
		{key: "status", columns: cols("status")}, {key: "location", columns: cols("location", "locationdetails")}, {key: "deviceDetail",
			columns: cols("devicedetail")},
		{key: "mfaDetail", columns: cols("mfadetail")}, {key: "authenticationDetails", columns: cols("authenticationdetails"), list: true},
		{key: "authenticationRequirementPolicies", columns: cols("authenticationrequirementpolicies"), list: true},
		{key: "appliedConditionalAccessPolicies", columns: cols("appliedconditionalaccesspolicies", "conditionalaccesspolicies"), list: true},
		{key: "signInEventTypes", columns: oneColumn(lone("signineventtypes")), list: true, lone: true},
	} {
		if n.key = `"` + n.key + `":`; len(n.columns) > 0 {
			t.nested = append(t.nested, n)
		}
	}
	return t
}

// portalNames adds the names that the portal gives people and things.
func (t *Table) portalNames(cols func(...string) []int) {
	if !t.portal {
		return
	}
	var e signin.Event
	for key, to := range map[string]*string{"user": &e.UserDisplayName, "application": &e.AppDisplayName, "resource": &e.ResourceDisplayName} {
		offset := uintptr(unsafe.Pointer(to)) - uintptr(unsafe.Pointer(&e))
		t.plain = slices.DeleteFunc(t.plain, func(p plainColumn) bool { return p.offset == offset })
		name := map[string]string{"user": "userdisplayname", "application": "appdisplayname", "resource": "resourcedisplayname"}[key]
		t.plain = append(t.plain, plainColumn{cols(name, key), offset})
	}
}

func oneColumn(i int) []int {
	if i < 0 {
		return nil
	}
	return []int{i}
}

// tableRow is a row while it is read.
type tableRow struct {
	text []byte
	ends []uint32 // where each cell ends; it begins where the one before does
	from uint32
}

func (r *tableRow) cell(i int) string {
	from := r.from
	if i > 0 {
		from = r.ends[i-1]
	}
	if from == r.ends[i] {
		return ""
	}
	return unsafe.String(&r.text[from], r.ends[i]-from)
}

// first is the first of the cells that says something.
func (r *tableRow) first(columns []int) string {
	for _, i := range columns {
		if s := r.cell(i); s != "" {
			return s
		}
	}
	return ""
}

// rowDecoder reads rows. It serves one goroutine.
type rowDecoder struct {
	*Decoder
	cells    []byte   // what the cells that hold JSON are brought together in
	starts   []uint32 // where each begins there
	statused bool     // the status is such a cell
}

// row reads one row into e. False leaves it to the slow way.
func (d *rowDecoder) row(t *Table, r *tableRow, e *signin.Event) (Shape, bool) {
	if !validRow(r.text[r.from:r.ends[t.width-1]]) || !telling(t, r) || !d.nestedCells(t, r, e) {
		return ShapeNone, false
	}
	f := facts{shape: ShapeGraph, status: d.top.status}
	typ := r.first(t.typ)
	switch {
	case t.portal:
		f.shape = ShapePortal
	case t.logAnalytics || typ != "" && signInCategory(tableCategory(typ)):
		f.shape = ShapeLogAnalytics
	case t.diagnostic:
		f.shape = ShapeDiagnostic
	}
	e.Observed = observed(r.first(t.observed))
	if raw := r.first(t.created); raw != "" {
		f.clock = readRowClock(raw, f.shape == ShapeDiagnostic, e)
	}
	for i := range t.plain {
		p := &t.plain[i]
		if s := r.first(p.columns); s != "" {
			*(*string)(unsafe.Add(unsafe.Pointer(e), p.offset)) = s
		}
	}
	if strings.HasPrefix(e.ResourceID, "/") {
		e.ResourceID = ""
	}
	if e.IPAddress == "" {
		e.IPAddress = r.first(t.address)
	}
	if e.Country == "" {
		if place := r.first(t.place); !oddPlace(place) {
			e.Country = lastPart(place)
		}
		if e.Country == "" {
			e.Country = lastPart(r.first(t.country))
		}
	}
	if e.UserDisplayName == "" && e.ServicePrincipalID == "" {
		e.UserDisplayName = r.first(t.identity)
	}
	if e.Category = r.first(t.category); e.Category == "" && typ != "" {
		if table := tableCategory(typ); signInCategory(table) {
			e.Category, f.byTable = table, true
		}
	}
	if t.interactive >= 0 {
		e.Interactive = truth(r.cell(t.interactive))
	}
	t.device(r, e)
	t.outcome(r, e, &f, d.statused)
	e.HasMFAFields = t.hasMFA
	e.MFAAuthMethod = texts.Either(e.MFAAuthMethod, r.first(t.method))
	e.MFAAuthDetail = texts.Either(e.MFAAuthDetail, r.first(t.detail))
	f.settle(e)
	spellOut(e)
	e.Joinable = f.shape == ShapePortal && len(e.Steps) == 0
	return f.classify(e), true
}

func (t *Table) device(r *tableRow, e *signin.Event) {
	e.OperatingSystem = texts.Either(e.OperatingSystem, r.first(t.system))
	if e.DeviceCompliant == signin.Unset && t.compliant >= 0 {
		e.DeviceCompliant = truth(r.cell(t.compliant))
	}
	e.DeviceTrustType = texts.Either(e.DeviceTrustType, r.first(t.join))
}

func (t *Table) outcome(r *tableRow, e *signin.Event, f *facts, statused bool) {
	if !statused {
		f.status = cellOutcome(r, t.statusCode, t.statusWord)
	}
	if !f.status.hasCode && t.errorCode >= 0 {
		if code := cellOutcome(r, t.errorCode, t.errorWord); code.hasCode {
			f.status = outcome{code.code, true, f.status.word}
		}
	}
	f.resultType = cellOutcome(r, t.resultType, t.resultWord)
	f.signInCode = cellOutcome(r, t.signInCode, t.signInWord)
	e.FailureReason = texts.Either(e.FailureReason, r.first(t.failure))
	e.FailureReason = texts.Either(e.FailureReason, r.first(t.result))
	e.AdditionalDetails = texts.Either(e.AdditionalDetails, r.first(t.details))
}

// cellOutcome is [object.outcome] of a column; words are where its text may stand.
func cellOutcome(r *tableRow, column int, words []int) outcome {
	if column < 0 {
		return outcome{}
	}
	s := r.cell(column)
	if n, ok := digits(s); ok {
		return outcome{code: n, hasCode: true}
	}
	switch s {
	case "Success":
		return outcome{word: 1}
	case "Failure", "Interrupted":
		return outcome{word: -1}
	case "":
		if len(words) == 1 {
			return outcome{}
		}
	}
	o := object{"x": quoted(s)}
	if out := o.outcome("x"); out.hasCode {
		return out
	}
	var n lenient.Int
	if n.UnmarshalJSON(o["x"]) == nil && n.Set {
		return outcome{} // a number that is no code
	}
	return outcome{word: wordOutcome(r.first(words))}
}

func digits(s string) (n int32, ok bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0, false
		}
		n = n*10 + int32(s[i]-'0')
	}
	return n, true
}

// truth is [object.tri] of a cell.
func truth(s string) signin.Tri {
	switch s {
	case "":
		return signin.Unset
	case "true", "Yes":
		return signin.Yes
	case "false", "No":
		return signin.No
	}
	switch v := lenient.ParseBool(s); {
	case v.True():
		return signin.Yes
	case v.False():
		return signin.No
	}
	return signin.Unset
}

// isoClock reads 2006-01-02T15:04:05 with Z, or without a zone, which is UTC.
func isoClock(s string) (t time.Time, ok bool) {
	if t, ok = utcClock(s); ok || len(s) < 19 || len(s) > 29 || s[len(s)-1]-'0' > 9 {
		return t, ok
	}
	var b [30]byte
	n := copy(b[:], s)
	b[n] = 'Z'
	return utcClock(unsafe.String(&b[0], n+1))
}

func observed(s string) (t time.Time) {
	if s == "" {
		return t
	}
	t, ok := isoClock(s)
	if !ok {
		t, _ = lenient.ParseTime(s)
	}
	return t
}

func readRowClock(raw string, machine bool, e *signin.Event) bool {
	if t, ok := isoClock(raw); ok {
		e.CreatedRaw, e.Created = raw, t
		return true
	}
	return readCreated(raw, machine, e)
}

// validRow reports UTF-8.
func validRow(b []byte) bool { return utf8.Valid(b) }

// telling reports for certain that more than a quarter of the cells are something
// else than the names of types.
func telling(t *Table, r *tableRow) bool {
	need := t.width/4 + 1
	for i := range t.width {
		if !TypeWord(r.cell(i)) {
			if need--; need == 0 {
				return true
			}
		}
	}
	return false
}

// nestedCells reads the cells that hold JSON, by bringing them together as members of
// one object. What is not JSON after all, or stands twice, is left to the slow way.
func (d *rowDecoder) nestedCells(t *Table, r *tableRow, e *signin.Event) bool {
	b := append(d.cells[:0], '{')
	d.starts, d.statused = d.starts[:0], false
	for i := range t.nested {
		n := &t.nested[i]
		found := ""
		for _, c := range n.columns {
			s := r.cell(c)
			if s == "" {
				continue
			}
			if s = strings.TrimSpace(s); s == "" || s[0] != '{' && s[0] != '[' {
				if n.lone || strings.HasPrefix(s, "@{") || TypeName(s) {
					return false
				}
				continue
			}
			if found != "" || n.list != (s[0] == '[') {
				return false
			}
			found = s
		}
		if found == "" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		d.statused = d.statused || n.key == `"status":` && found != "{}"
		b = append(b, n.key...)
		d.starts = append(d.starts, uint32(len(b)))
		b = append(b, found...)
	}
	b = append(b, '}')
	d.cells = b
	return d.members(b, e)
}

// members reads an object of which starts says where its values begin, and
// no more than its members.
func (d *rowDecoder) members(raw []byte, e *signin.Event) bool {
	if len(d.starts) == 0 {
		d.reset(e)
		return true
	}
	if !d.x.Scan(raw) {
		return false
	}
	if d.event == nil {
		d.init()
	}
	t := d.templates.find(d.x.Kinds)
	d.reset(e)
	if d.same = t; t == nil || !d.replay(t, e) {
		d.same = nil
		if t != nil {
			d.reset(e)
			d.templates.learning = false
		} else {
			d.begin(e)
		}
		k, ok := d.object(0, e, &d.top, &d.in)
		if !ok || k != d.x.Len() {
			return false
		}
		d.keep()
	}
	// A cell must not close what it did not open.
	depth, next := 0, 0
	for k, c := range d.x.Kinds {
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ':':
			if depth == 1 {
				if next == len(d.starts) || d.x.Pos[k+1] != d.starts[next] {
					return false
				}
				next++
			}
		}
	}
	return next == len(d.starts) && !d.env.hasProperties && !d.env.hasResultType
}
