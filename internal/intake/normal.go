package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
)

// remark is something to say about many records of an input at once.
type remark struct {
	msg   string
	count int
	first evidence.Source
}

// maxRemarks bounds the distinct remarks kept.
const maxRemarks = 16

// remark counts what is said of a record without making it unread.
func (f *file) remark(msg string, p place) {
	_ = f.sync()
	for i := range f.remarks {
		if f.remarks[i].msg == msg {
			f.remarks[i].count++
			return
		}
	}
	if len(f.remarks) < maxRemarks {
		f.remarks = append(f.remarks, remark{msg, 1, f.at(p)})
	}
}

// sayRemarks turns the remarks into notes.
func (f *file) sayRemarks() {
	for _, r := range f.remarks {
		msg := r.msg
		if r.count > 1 {
			msg = fmt.Sprintf("%s (%d records; this is the first)", msg, r.count)
		}
		f.in.Add(evidence.Note{Source: r.first, Message: msg})
	}
}

// normal brings a record of a known kind to the form that the service answers
// in, whatever tool wrote it: PowerShell's objects are made plain, the names
// other modules and portals use are brought to Graph's, and what an export cut
// off is said. The result is valid until the next call. It is nil for a record
// that is no longer in force, which is then counted as not judged.
func (f *file) normal(kind evidence.Kind, raw []byte, p place) []byte {
	policy := kind == evidence.ConditionalAccessPolicy
	look := f.look(kind, raw)
	x := plainer{prune: policy || look.nested && look.pascal, types: !policy}
	if policy {
		x.keep = neverPruned
	}
	rewrite := x.prune || bagged(raw) || namesTypes(raw)
	if look.form {
		ms := unbag(raw)
		changed, why := forms[kind](&ms)
		if why != "" {
			f.other(why, p)
			return nil
		}
		if changed {
			f.flat = writeMembers(f.flat[:0], ms)
			raw, rewrite = f.flat, true
		}
	}
	if rewrite {
		f.plain = x.object(f.plain[:0], raw)
		raw = f.plain
	}
	f.unread(kind, raw, x.lost, p)
	return raw
}

// looked is what one quick pass over a record tells.
type looked struct {
	form   bool // it has a member that the kind's form reads
	nested bool // an object stands in it
	pascal bool // most members begin with a capital letter, as PowerShell's modules write them
}

func (f *file) look(kind evidence.Kind, raw []byte) (l looked) {
	reads, always := formReads[kind], formAlways[kind]
	l.form = always
	upper, all := 0, 0
	text.Members(raw, func(k, v []byte) bool {
		if len(k) > 2 && k[1] != '@' {
			all++
			if k[1] >= 'A' && k[1] <= 'Z' {
				upper++
			}
		}
		l.nested = l.nested || v[0] == '{' || v[0] == '[' && len(v) > 2
		if !l.form && reads != nil {
			l.form = reads[string(f.facts.lower(k))]
		}
		return true
	})
	l.pascal = upper*2 > all
	// What the members of a bag are called is seen once they are out of it.
	l.form = l.form || forms[kind] != nil && bagged(raw)
	return l
}

// neverPruned are the members of a policy whose absence says something else
// than their emptiness.
var neverPruned = map[string]bool{"conditions": true, "users": true, "applications": true}

// namesTypes is a quick look for the names of types. It may be wrong.
func namesTypes(raw []byte) bool {
	for _, s := range []string{`"System.`, `"Microsoft.`, `"@{`, `"Ticks"`, `"TotalDays"`} {
		if bytes.Contains(raw, []byte(s)) {
			return true
		}
	}
	return false
}

func writeMembers(dst []byte, ms []member) []byte {
	dst = append(dst, '{')
	for i := range ms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, ms[i].key...), ':'), ms[i].val...)
	}
	return append(dst, '}')
}

// judged are the members, in lower case, whose loss takes something from the
// judgement, with the line that exports them whole.
var judged = map[evidence.Kind]struct {
	members string
	how     string
}{
	evidence.Group:               {"members", "Get-MgGroup -All -ExpandProperty Members | ConvertTo-Json -Depth 10"},
	evidence.DirectoryRole:       {"members", "Get-MgDirectoryRole -ExpandProperty Members | ConvertTo-Json -Depth 10"},
	evidence.RegistrationDetails: {"methodsregistered", "Get-MgReportAuthenticationMethodUserRegistrationDetail -All | ConvertTo-Json -Depth 10"},
	evidence.Relationship:        {"accessdetails", "Get-MgTenantRelationshipDelegatedAdminRelationship -All | ConvertTo-Json -Depth 10"},
	evidence.AccessAssignment: {"accessdetails accesscontainer",
		"Get-MgTenantRelationshipDelegatedAdminRelationshipAccessAssignment | ConvertTo-Json -Depth 10"},
	evidence.NamedLocation:          {"ipranges countriesandregions", "Get-MgIdentityConditionalAccessNamedLocation -All | ConvertTo-Json -Depth 10"},
	evidence.AuthenticationStrength: {"allowedcombinations", "Get-MgPolicyAuthenticationStrengthPolicy -All | ConvertTo-Json -Depth 10"},
	evidence.AuthenticationMethods:  {"authenticationmethodconfigurations", "Get-MgPolicyAuthenticationMethodPolicy | ConvertTo-Json -Depth 10"},
	evidence.SubscribedSku:          {"serviceplans", "Get-MgSubscribedSku -All | ConvertTo-Json -Depth 10"},
}

// unread says what of a record could not be read: members that an export cut
// off, and words that are neither yes nor no, or no clock.
func (f *file) unread(kind evidence.Kind, raw []byte, lost []string, p place) {
	j := judged[kind]
	for want := range strings.FieldsSeq(j.members) {
		for _, l := range lost {
			if l == want {
				f.cut(kind, "lost "+want+" to the export's depth: only the name of a type is left", j.how, p)
			}
		}
	}
	if kind == evidence.ConditionalAccessPolicy && namesTypes(raw) && cutPolicy(raw) {
		f.cut(kind, "holds a policy that was cut off by the export's depth",
			"Get-MgIdentityConditionalAccessPolicy -All | ConvertTo-Json -Depth 10", p)
	}
	switch kind {
	case evidence.ConditionalAccessPolicy:
		f.lostTenants(raw, p)
	case evidence.Relationship:
		var r partner.Relationship
		if _ = json.Unmarshal(raw, &r); r.RolesLost && len(lost) == 0 { // a wrong type is said by the sink
			f.cut(kind, "holds a relationship without its roles, or with roles that are not known", j.how, p)
		}
	}
	text.Members(raw, func(k, v []byte) bool {
		if v[0] != '"' || len(v) < 3 || len(v) > 200 {
			return true
		}
		low := f.facts.lower(k)
		switch {
		case isTruth[string(low)]:
			if plain := v[1 : len(v)-1]; bytes.EqualFold(plain, []byte("true")) || bytes.EqualFold(plain, []byte("false")) {
			} else if word := text.Unquote(v); strings.TrimSpace(word) != "" && !lenient.ParseBool(word).Set {
				f.remark(fmt.Sprintf("%s: %q is neither yes nor no in a language known here, so it stays unknown", text.Clip(text.Unquote(k)),
					text.Clip(word)), p)
			}
		case bytes.HasSuffix(low, []byte("datetime")) || isClock[string(low)]:
			f.clock(k, text.Unquote(v), p)
		}
		return true
	})
}

// clock says what is doubtful about one clock.
func (f *file) clock(key []byte, written string, p place) {
	if _, ok := lenient.ParseTime(written); ok && !f.clocked {
		if a, b := lenient.Readings(written); a.Equal(b) {
			return
		}
		f.remark(fmt.Sprintf("%s: the order of day and month is not known, read month first", text.Clip(text.Unquote(key))), p)
		return
	} else if ok || strings.TrimSpace(written) == "" {
		return
	}
	var d lenient.Dates
	if t, _ := d.Parse(written); t.IsZero() && !strings.HasPrefix(written, "0001-01-01") { // the zero clock of .NET
		f.remark(fmt.Sprintf("%s: %q is no clock in a form known here, so it stays unknown", text.Clip(text.Unquote(key)), text.Clip(written)), p)
	}
}

// isTruth and isClock are the members, in lower case, that a judgement reads as
// yes or no and as a clock, beside all that end in "datetime".
var isTruth = nameSet(`accountenabled onpremisessyncenabled ismfaregistered ismfacapable isadmin isenabled istrusted
	includeunknowncountriesandregions securityenabled mailenabled isassignabletorole isbuiltin isprivileged istest mfacompliant
	allowdelegatedaccess`)

var isClock = nameSet("logindate eventtime")

func nameSet(names string) map[string]bool {
	out := make(map[string]bool)
	for n := range strings.FieldsSeq(names) {
		out[n] = true
	}
	return out
}

// lostTenants says that a policy's list of external tenants is empty, which only
// the Graph PowerShell SDK makes of it.
func (f *file) lostTenants(raw []byte, p place) {
	if !bytes.Contains(bytes.ToLower(raw), []byte(`"enumerated"`)) {
		return
	}
	var policy access.Policy
	_ = json.Unmarshal(raw, &policy) // a wrong type is said by the sink
	u := &policy.Conditions.Users
	for _, list := range [][]access.Externals{u.IncludeExternals.Items, u.ExcludeExternals.Items} {
		for _, e := range list {
			if e.Tenants != nil && e.Tenants.MembersLost {
				f.remark("which external tenants a policy names was lost (the Graph PowerShell SDK drops them): export with "+
					"Invoke-MgGraphRequest -Uri /v1.0/identity/conditionalAccess/policies -OutputType Json", p)
			}
		}
	}
}

// cut says that a list is not whole because its export cut something off.
func (f *file) cut(kind evidence.Kind, why, request string, p place) {
	f.in.Shorten(evidence.Cut{Kind: kind, Why: why, Request: request, Source: f.at(p)})
	f.remark("this list "+why+"; export with "+request, p)
	f.short = true
}

// cutPolicy reports a policy one of whose deciding members is the name of a type.
func cutPolicy(raw []byte) bool {
	found := false
	var look func(raw []byte, depth int)
	look = func(raw []byte, depth int) {
		switch {
		case found || depth > 8:
		case raw[0] == '"':
			found = lenient.TypeName(text.Unquote(raw))
		case raw[0] == '{':
			text.Members(raw, func(_, v []byte) bool { look(v, depth+1); return !found })
		case raw[0] == '[':
			text.Elements(raw, func(v []byte) { look(v, depth+1) })
		}
	}
	text.Members(raw, func(k, v []byte) bool {
		if low := strings.ToLower(text.Unquote(k)); low == "conditions" || low == "grantcontrols" {
			look(v, 0)
		}
		return !found
	})
	return found
}
