package intake

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/signin/read"
)

// ErrNoSignIn is what [Sink.Record] answers to a record handed on as a sign-in
// that is none: one that lacks what a sign-in is told by. Intake then looks for
// what else it is, and says so.
var ErrNoSignIn = errors.New("the record is no sign-in")

// signInLike remembers what the last sign-in looked like: in an export one is
// like the other, and asking the engine each time would cost as much as
// reading it. It is a guess, which the sink's ErrNoSignIn takes back.
type signInLike struct {
	known          keySet
	category, kind string
	is             evidence.Kind
}

func (l *signInLike) like(t *table, o *facts) bool {
	return l.is != "" && l.known == o.known && string(o.get(t.category)) == l.category && string(o.get(t.typ)) == l.kind
}

func (l *signInLike) set(is evidence.Kind, t *table, o *facts) {
	if !l.like(t, o) || l.is != is {
		*l = signInLike{o.known, string(o.get(t.category)), string(o.get(t.typ)), is}
	}
}

// signIn recognises a sign-in of any shape, a step of one, and the records of
// the logs they come from that are something else. It has to look like one by
// its keys, which keeps other logs with a clock, a user and an address out, and
// the sign-in engine has to be able to read it.
func (f *file) signIn(raw []byte, t *table, o *facts) (evidence.Kind, string) {
	if !f.exact && f.lastSignIn.like(t, o) {
		return f.lastSignIn.is, ""
	}
	if o.known.touches(&t.notSignIn) {
		return "", ""
	}
	graph := o.known.touches(&t.who) && o.known.touches(&t.when) && o.known.touches(&t.outcome) && o.known.touches(&t.with)
	other := otherLog("")
	if !graph && !(o.known.touches(&t.who) && namesTable(o.text(t.typ))) {
		signs := readSigns(raw)
		if other = signs.other(); other == "" && !signs.all(signWho|signWhen|signEnd) {
			return "", ""
		}
	}
	kind := evidence.SignIn
	switch read.ShapeOf(raw) {
	case read.ShapeNone:
		return "", other.reason()
	case read.ShapeAudit:
		kind = evidence.UnifiedAuditSignIn
	case read.ShapeDetail:
		kind = evidence.AuthenticationDetail
	}
	f.lastSignIn.set(kind, t, o)
	return kind, ""
}

// namesTable reports the name of a table of sign-ins, which a query keeps
// however few columns it asks for.
func namesTable(s string) bool {
	return len(s) >= 10 && len(s) < 64 && strings.HasSuffix(strings.ToLower(s), "signinlogs")
}

// sign is something that a record's keys say.
type sign uint32

const (
	signAzure sign = 1 << iota
	signElasticField
	signOperation
	signAuditData
	signAuditRecord
	signHuntingUser
	signHuntingClock
	signHuntingOutcome
	signAction
	signRequest
	signMethod
	signWho
	signWhen
	signWhat
	signApp
	signEnd    // how it ended
	signNested // a list or object
)

// signKeys are the keys, in lower case and with _ for blanks.
var signKeys = map[string]sign{
	"azure": signAzure, "operation": signOperation, "operations": signOperation, "auditdata": signAuditData,
	"recordtype": signAuditRecord, "auditlogrecordtype": signAuditRecord, "workload": signAuditRecord,
	"accountupn": signHuntingUser | signWho, "accountobjectid": signHuntingUser,
	"timestamp": signHuntingClock | signWhen, "errorcode": signHuntingOutcome | signEnd,
	"actiontype": signAction, "request_id": signRequest, "authentication_method": signMethod,

	"upn": signWho, "user": signWho, "username": signWho, "userprincipalname": signWho, "user_principal_name": signWho,
	"userid": signWho, "account": signWho, "signinname": signWho, "sign-in_name": signWho, "loginname": signWho, "email": signWho,
	"date": signWhen, "time": signWhen, "datetime": signWhen, "createddatetime": signWhen, "created": signWhen, "logintime": signWhen,
	"signintime": signWhen, "sign-in_time": signWhen, "date_(utc)": signWhen, "signindate": signWhen, "logindate": signWhen,
	"ipaddress": signWhat, "ip_address": signWhat, "ip": signWhat, "clientip": signWhat,
	"app": signApp, "appname": signApp, "application": signApp, "applicationname": signApp, "appdisplayname": signApp, "appid": signApp,
	"clientapp": signApp, "client_app": signApp, "resource": signApp, "resourcedisplayname": signApp,
}

// readSigns walks the keys of a record.
func readSigns(raw []byte) (s sign) {
	var low []byte
	text.Members(raw, func(key, val []byte) bool {
		if len(key) > 64 {
			return true
		}
		low = append(low[:0], key[1:len(key)-1]...)
		for i, c := range low {
			switch {
			case 'A' <= c && c <= 'Z':
				low[i] = c | 0x20
			case c == ' ':
				low[i] = '_'
			}
		}
		if i := bytes.LastIndex(low, []byte("_[")); i > 0 { // a zone
			low = low[:i]
		}
		low = bytes.TrimRight(low, "_")
		got := signKeys[string(low)]
		if len(val) == 2 && val[0] == '"' { // an empty cell says nothing
			got &^= signWho | signWhen | signWhat | signApp
		}
		if got&signAzure != 0 && (val[0] != '{' || !bytes.Contains(bytes.ToLower(val), []byte(`"signinlogs"`))) {
			got = 0
		}
		if bytes.HasPrefix(low, []byte("azure.signinlogs.")) {
			got |= signElasticField
		}
		if bytes.HasPrefix(low, []byte("status")) {
			got |= signEnd
		}
		if val[0] == '{' || val[0] == '[' {
			got |= signNested
		}
		s |= got
		return true
	})
	return s
}

func (s sign) all(of sign) bool { return s&of == of }

// otherLog is a log that is not Graph's own.
type otherLog string

const (
	elasticLog otherLog = "an Elastic document of the azure.signinlogs data set without the fields of a sign-in: export its event.original"
	auditLog   otherLog = "unified audit log entries of other operations, not sign-ins"
	huntingLog otherLog = "logons that Defender saw, not sign-ins to Microsoft Entra ID (those are in EntraIdSignInEvents)"
	detailLog  otherLog = "authentication details without the sign-in they belong to"
)

func (l otherLog) reason() string { return string(l) }

func (s sign) other() otherLog {
	switch {
	case s&(signAzure|signElasticField) != 0:
		return elasticLog
	case s&signOperation != 0 && s&signAuditRecord != 0, s&signAuditData != 0:
		return auditLog
	case s.all(signHuntingUser|signHuntingClock) && s&(signHuntingOutcome|signAction) != 0:
		return huntingLog
	case s.all(signRequest | signMethod):
		return detailLog
	}
	return ""
}

// reportOfSignIns says what a table of a script is that lists sign-ins and not
// what decides about them.
const reportOfSignIns = "a script's report of sign-ins, which does not show whether MFA was asked for " +
	"(export the log itself: GET /beta/auditLogs/signIns)"

// signInReport recognises the row of such a table: who, when, from where, and
// nothing nested.
func signInReport(raw []byte) string {
	blank := true
	text.Members(raw, func(_, val []byte) bool {
		blank = string(val) == `""`
		return blank
	})
	if blank {
		return "" // nothing to say of it
	}
	if s := readSigns(raw); s.all(signWho|signWhen|signWhat|signApp) && s&signNested == 0 {
		return reportOfSignIns
	}
	return ""
}

// emitLog hands a record of a sign-in log on. again says that it is none after
// all and is to be recognised anew.
func (f *file) emitLog(kind evidence.Kind, raw []byte, p place) (again bool, err error) {
	switch kind {
	case evidence.SignIn:
		f.seeLost(raw, p)
	case evidence.UnifiedAuditSignIn:
		f.seeAuditFound(raw)
	}
	f.ofPage(kind, &f.facts, p)
	if err := f.sync(); err != nil {
		return false, err
	}
	f.taken++
	note, err := f.sink.Record(kind, raw, f.at(p))
	switch {
	case errors.Is(err, ErrNoSignIn):
		f.taken--
		return true, nil
	case err != nil:
		return false, sinkError{err}
	case note != "":
		f.taken--
		f.fault(f.at(p), 0, note)
		f.in.Shorten(evidence.Cut{Kind: kind, Why: "has rows that could not be read", Source: f.at(p)})
	default:
		f.in.Count(kind, 1)
	}
	return false, nil
}

// again recognises a record anew that was taken for a sign-in because it is
// like the last one, or because of its surroundings.
func (f *file) again(raw []byte, p *place) (evidence.Kind, string) {
	f.exact = true
	defer func() { f.exact = false }()
	q := *p
	q.hint, q.reason = "", ""
	kind, reason := f.recognise(raw, &q)
	switch {
	case isLog(kind): // by its context alone
		kind = ""
		fallthrough
	case kind == "" && reason == "" && p.hint == evidence.SignIn:
		f.fault(f.at(*p), 0, "this record stands among sign-ins and lacks what a sign-in is told by (a clock, and a user or an app): it is not counted")
		f.in.Shorten(evidence.Cut{Kind: evidence.SignIn, Why: "has rows that could not be read", Source: f.at(*p)})
		return "", noSignIn
	}
	return kind, reason
}

// noSignIn is the reason of a record that a fault was noted for.
const noSignIn = "records among sign-ins that are none"

// isLog reports the kinds that go to the sign-in engine.
func isLog(k evidence.Kind) bool {
	return k == evidence.SignIn || k == evidence.UnifiedAuditSignIn || k == evidence.AuthenticationDetail
}

// lost is what the names of types stand in the place of.
type lost struct {
	rows    int
	first   evidence.Source
	columns []string
}

// seeLost notes a sign-in whose status is the name of a .NET type: how it ended
// is lost.
func (f *file) seeLost(raw []byte, p place) {
	status := f.facts.get(theTable.keys["status"])
	if len(status) < 10 || status[0] != '"' || status[1] != 'M' && status[1] != 'S' && status[1] != 'D' || !read.TypeName(text.Unquote(status)) {
		return
	}
	if f.lost.rows++; f.lost.rows > 1 {
		return
	}
	f.lost.first = f.at(p)
	text.Members(raw, func(key, val []byte) bool {
		if name := text.Unquote(key); val[0] == '"' && !strings.EqualFold(name, "status") && read.TypeName(text.Unquote(val)) && len(f.lost.columns) < 20 {
			f.lost.columns = append(f.lost.columns, text.Clip(name))
		}
		return true
	})
}

// sayLogs tells at the end of an input what is missing from its sign-ins.
func (f *file) sayLogs() {
	if f.lost.rows > 0 {
		also := ""
		if len(f.lost.columns) > 0 {
			also = " (so do " + strings.Join(f.lost.columns, ", ") + ")"
		}
		f.fault(f.lost.first, 0, fmt.Sprintf("the column Status holds the name of a .NET type, not a value%s, so whether %s succeeded is lost; "+
			"export with ConvertTo-Json -Depth 10", also, plural(f.lost.rows, "sign-in", "sign-ins")))
		f.in.Shorten(evidence.Cut{Kind: evidence.SignIn, Why: "lost in the export how each sign-in ended", Source: f.lost.first,
			Request: "Get-MgBetaAuditLogSignIn -All | ConvertTo-Json -Depth 10 (AuditLog.Read.All)"})
	}
	for _, o := range f.others {
		if o.reason == reportOfSignIns {
			f.in.Shorten(evidence.Cut{Kind: evidence.SignIn, Why: "was handed in as a script's report, which cannot show MFA", Source: o.first})
		}
	}
	f.sayFull()
	if n := f.in.Kinds[evidence.UnifiedAuditSignIn]; n > 0 {
		f.in.Add(evidence.Note{Source: f.at(place{}), Message: plural(n, "record of a sign-in", "records of sign-ins") +
			" from the unified audit log: who signed in, from where and whether it failed, never whether MFA was asked for; " +
			"that is in the sign-in log (GET /beta/auditLogs/signIns, needs Entra ID P1)"})
	}
	if f.auditFound > f.seen {
		f.fault(f.at(place{}), 0, fmt.Sprintf("the search of the unified audit log found %d records, and %d stand here: export all of them", f.auditFound,
			f.seen))
	}
}

// seeAuditFound notes how many records the search found that a row of
// Search-UnifiedAuditLog comes from.
func (f *file) seeAuditFound(raw []byte) {
	if n, err := strconv.Atoi(string(bytes.Trim(text.Member(raw, "ResultCount"), `"`))); err == nil {
		f.auditFound = max(f.auditFound, n)
	}
}

// sayFull tells of a log that ends where exports stop.
func (f *file) sayFull() {
	for _, p := range fullPages {
		if n := f.in.Kinds[p.kind]; n == p.count && strings.HasPrefix(f.in.Format, p.format) {
			src := f.at(place{})
			f.in.Add(evidence.Note{Source: src, Message: fmt.Sprintf("exactly %d records, which is where %s: there may be more", n, p.stops)})
			f.in.Shorten(evidence.Cut{Kind: p.kind, Why: fmt.Sprintf("has exactly %d records, which is where %s", n, p.stops), Source: src})
		}
	}
}

// fullPages are the counts at which exports stop without a word.
var fullPages = []struct {
	kind   evidence.Kind
	count  int
	format string // the beginning of the format's name
	stops  string
}{
	{evidence.SignIn, 1000, "json array", "a page of Graph ends"},
	{evidence.SignIn, 100_000, "json array", "the portal's download stops"},
	{evidence.SignIn, 100_000, "csv", "the portal's download stops"},
	{evidence.SignIn, 250_000, "csv", "the portal's download stops"},
	{evidence.SignIn, 10_000, "csv", "advanced hunting and Log Analytics stop"},
	{evidence.SignIn, 30_000, "csv", "advanced hunting and Log Analytics stop"},
	{evidence.UnifiedAuditSignIn, 100, "", "Search-UnifiedAuditLog stops"},
	{evidence.UnifiedAuditSignIn, 5000, "", "Search-UnifiedAuditLog stops"},
	{evidence.UnifiedAuditSignIn, 50_000, "csv", "the audit search's download stops"},
}
