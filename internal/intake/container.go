package intake

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"partnerguard/internal/evidence"
)

// pageKey is a member that holds the records of a page.
type pageKey struct {
	format string
	graph  bool // an @odata.context elsewhere in the object says what it holds
	object bool // the member may be a single object
}

// pageKeys are the members under which services list what they answer.
var pageKeys = map[string]pageKey{
	"value":     {format: "graph page", graph: true, object: true},
	"items":     {format: "partner center collection"},
	"records":   {format: "azure monitor records"},
	"responses": {format: "graph batch"},
	"tables":    {format: "log analytics tables"},
	"hits":      {format: "elasticsearch hits", object: true},
}

func isPageKey(low string, c byte) bool {
	k, ok := pageKeys[low]
	return ok && (c == '[' || k.object && c == '{')
}

// container streams the object the scanner stands on, member by member: a page
// of any service, or a composite whose members are lists.
func (f *file) container(s *scanner, p place, context string) error {
	isPage, isScuba, record := false, false, false
	pg := &page{input: f.number, count: -1, at: f.at(p)}
	fails, code := false, ""
	before := f.taken
	if context != "" {
		p.hint, p.reason = bySet(context)
	}
	err := s.object(func(key string, c byte) (bool, error) {
		low := strings.ToLower(key)
		record = record || isName(low)
		switch {
		case strings.HasPrefix(low, "@odata.") || low == "nextlink":
			if low == "@odata.count" {
				raw, err := s.raw()
				if n, bad := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64); err == nil && bad == nil {
					pg.count = n
				}
				return true, err
			}
			if c != '"' || low != "@odata.nextlink" && low != "nextlink" && low != "@odata.context" {
				return false, nil
			}
			t, err := s.text()
			if low == "@odata.context" {
				context = t
			} else if t != "" {
				pg.more, pg.next = true, t
			}
			return true, err
		case low == "links" && c == '{':
			raw, err := s.raw()
			if err == errTooLarge {
				return false, nil
			}
			if err != nil {
				return true, err
			}
			members(raw, func(k, v []byte) bool {
				if string(k) == `"next"` {
					pg.more = v[0] == '{'
				}
				return true
			})
			return true, nil
		case low == "error" && c == '{' && (isPage || context != ""):
			// A page and an error beside it: the service gave up on the way.
			raw, err := s.raw()
			if err == errTooLarge {
				return false, nil
			}
			fails, code = true, errorCode(raw)
			return true, err
		case isPageKey(low, c):
			isPage = true
			f.format(pageKeys[low].format)
			q := p
			q.whole = false
			if _, set, ok := strings.Cut(context, "#"); ok {
				q.set = strings.ToLower(set)
			}
			outer := f.page
			f.page = pg
			defer func() { f.page = outer }()
			switch {
			case low == "responses":
				return true, f.batch(s, q)
			case low == "tables":
				return true, f.tables(s, q)
			case low == "hits" && c == '{':
				return true, f.hits(s, q)
			case c == '{':
				return true, f.element(s, c, q)
			}
			err := f.list(s, q)
			pg.n += f.listed
			return true, err
		}
		if read := scubaMembers[low]; read != nil && (c == '[' || c == '{') {
			isScuba = true
			f.format("scubagear export")
			q := p
			q.part, q.level, q.whole, q.hint, q.reason = key, flat, false, "", ""
			return true, read(f, s, c, q)
		}
		if isPage || isScuba || p.reason != "" {
			return false, nil
		}
		// A composite of an unknown tool: lists, pages and single records.
		q := p
		q.part, q.level, q.whole, q.hint = key, flat, false, ""
		switch c {
		case '[':
			return true, f.list(s, q)
		case '{':
			s.deep = false
			raw, err := s.raw()
			switch {
			case err == errTooLarge:
				return true, f.tooLarge(s, q)
			case err != nil, s.deep:
				return true, err
			}
			_, _, err = f.try(raw, q)
			return true, err
		}
		return false, nil
	})
	if isPage && f.pages != nil {
		if pg.kind == "" {
			pg.kind = p.hint
		}
		f.pages.add(f.pages.key(context, f.in, p), pg)
	}
	if isPage && fails {
		f.fault(f.at(p), 0, "the answer says itself that it is not whole"+code+": ask again for what is missing")
	}
	var se *syntaxError
	if isScuba && f.taken == before && (err == nil || errors.As(err, &se)) {
		f.other("a ScubaGear input without a member that is judged here", p)
	}
	f.record = record && !isPage && !isScuba
	return err
}

// list streams the elements of the array the scanner stands on.
func (f *file) list(s *scanner, p place) error {
	n := 0
	top := p.part == "" && p.level == 0 && p.line == 0
	err := s.array(func(c byte) error {
		n++
		p.index = n
		if top {
			f.index++
			p.index = f.index
		}
		return f.element(s, c, p)
	})
	f.listed = n
	if err == nil && n == 0 {
		if p.reason != "" {
			f.other("an empty list of "+p.reason, p)
		} else {
			f.emptyList(p.hint, "an empty list")
		}
	}
	return err
}

// element takes the value the scanner stands on as one record.
func (f *file) element(s *scanner, c byte, p place) error {
	s.deep = false
	if c == '[' && p.level < flat {
		p.level++
		return f.list(s, p)
	}
	if c != '{' && c != '"' {
		if err := s.value(); err != nil {
			return err
		}
		if c != 'n' {
			f.other("single values, no objects", p)
		}
		return nil
	}
	raw, err := s.raw()
	if err == errTooLarge {
		if c == '{' && p.whole {
			return f.tooLarge(s, p)
		}
		f.fault(f.at(p), s.offset(), fmt.Sprintf("this record is larger than %s and was skipped", size(f.o.MaxRecord)))
		return s.value()
	}
	if err != nil {
		return err
	}
	if s.deep {
		s.deep = false
		f.fault(f.at(p), 0, fmt.Sprintf("this record is nested deeper than %d and was skipped", maxDepth))
		return nil
	}
	if c == '"' {
		if raw = objectInText(raw); raw == nil {
			f.other("single values, no objects", p)
			return nil
		}
	}
	return f.one(raw, p)
}

// batch reads the answers of a Graph $batch. One that was refused is evidence
// that is missing.
func (f *file) batch(s *scanner, p place) error {
	n := 0
	return s.array(func(c byte) error {
		n++
		p.index, p.answer = n, n
		s.deep = false
		raw, err := s.raw()
		if err == errTooLarge {
			f.fault(f.at(p), s.offset(), fmt.Sprintf("this answer is larger than %s and was skipped", size(f.o.MaxRecord)))
			return s.value()
		}
		if err != nil || c != '{' {
			return err
		}
		if s.deep {
			s.deep = false
			f.fault(f.at(p), 0, fmt.Sprintf("this answer is nested deeper than %d and was skipped", maxDepth))
			return nil
		}
		var status, body, id []byte
		members(raw, func(k, v []byte) bool {
			switch string(bytes.ToLower(k)) {
			case `"status"`:
				status = v
			case `"body"`:
				body = v
			case `"id"`:
				id = v
			}
			return true
		})
		if len(status) == 3 && status[0] != '2' {
			code := ""
			members(body, func(k, v []byte) bool {
				if string(bytes.ToLower(k)) == `"error"` {
					code = errorCode(v)
				}
				return true
			})
			f.fault(f.at(p), 0, fmt.Sprintf("the answer %s of the batch has the status %s%s: its data is missing", clip(string(id)), status, code))
			return nil
		}
		if len(body) == 0 || body[0] != '{' {
			return nil
		}
		return f.one(body, p)
	})
}

// scubaMember reads one member of a ScubaGear export.
type scubaMember func(f *file, s *scanner, c byte, p place) error

// scubaMembers are the members of a ScubaGear export that tell it apart. Those
// that hold nothing judged here are passed over.
var scubaMembers = map[string]scubaMember{
	"conditional_access_policies":                scubaList(evidence.ConditionalAccessPolicy),
	"privileged_roles":                           scubaList(evidence.ScubaPrivilegedRole),
	"license_information":                        scubaList(evidence.SubscribedSku),
	"risky_applications":                         scubaList(evidence.Application),
	"risky_third_party_service_principals":       scubaList(evidence.ServicePrincipal),
	"privileged_users":                           scubaUsers,
	"service_plans":                              scubaPlans,
	"authentication_method":                      scubaMethods,
	"tenant_details":                             scubaTenant,
	"aad_unsuccessful_commands":                  scubaFailed,
	"authorization_policies":                     scubaPass,
	"privileged_service_principals":              scubaPass,
	"domain_settings":                            scubaPass,
	"directory_settings":                         scubaPass,
	"default_app_management_policy":              scubaPass,
	"risky_delegated_permission_classifications": scubaPass,
	"scuba_config":                               scubaPass,
}

func scubaPass(_ *file, s *scanner, _ byte, _ place) error { return s.value() }

// scubaEach calls take with every object of a list, or with the one object
// that PowerShell makes of a list of one.
func scubaEach(f *file, s *scanner, c byte, p place, take func(raw []byte, p place) error) (n int, err error) {
	one := func(c byte) error {
		n++
		p.index = n
		s.deep = false
		raw, err := s.raw()
		switch {
		case err == errTooLarge:
			f.fault(f.at(p), s.offset(), fmt.Sprintf("this record is larger than %s and was skipped", size(f.o.MaxRecord)))
			return s.value()
		case err != nil:
			return err
		case c != '{':
			n--
			return nil
		case s.deep:
			f.fault(f.at(p), 0, fmt.Sprintf("this record is nested deeper than %d and was skipped", maxDepth))
			return nil
		}
		return take(raw, p)
	}
	if c == '{' {
		return n, one(c)
	}
	return n, s.array(one)
}

func scubaList(kind evidence.Kind) scubaMember {
	return func(f *file, s *scanner, c byte, p place) error {
		n, err := scubaEach(f, s, c, p, func(raw []byte, p place) error { return f.emit(kind, raw, p) })
		if err == nil && n == 0 {
			f.emptyList(kind, "")
		}
		return err
	}
}

// scubaUsers reads a map of user id -> {DisplayName, roles, …}; the id becomes
// a member of the record.
func scubaUsers(f *file, s *scanner, c byte, p place) error {
	if c == '[' { // PowerShell writes an empty map either way
		return scubaList(evidence.PrivilegedUser)(f, s, c, p)
	}
	n := 0
	var rec []byte
	err := s.object(func(id string, c byte) (bool, error) {
		if c != '{' {
			return false, nil
		}
		n++
		p.index = n
		s.deep = false
		raw, err := s.raw()
		if err == errTooLarge {
			f.fault(f.at(p), s.offset(), fmt.Sprintf("this record is larger than %s and was skipped", size(f.o.MaxRecord)))
			return false, nil
		}
		if err != nil {
			return true, err
		}
		if s.deep {
			f.fault(f.at(p), 0, fmt.Sprintf("this record is nested deeper than %d and was skipped", maxDepth))
			return true, nil
		}
		rec = with(rec[:0], "id", quoteString(id), raw)
		return true, f.emit(evidence.PrivilegedUser, rec, p)
	})
	if err == nil && n == 0 {
		f.emptyList(evidence.PrivilegedUser, "")
	}
	return err
}

// with writes the object raw with one member more in front, unless it has that
// member already.
func with(dst []byte, name string, value, raw []byte) []byte {
	has, some := false, false
	members(raw, func(k, _ []byte) bool {
		some = true
		has = has || strings.EqualFold(unquote(k), name)
		return true
	})
	if has {
		return append(dst, raw...)
	}
	dst = append(dst, '{', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	dst = append(dst, value...)
	if some {
		dst = append(dst, ',')
	}
	return append(dst, raw[1:]...)
}

// scubaPlans reads the service plans of all SKUs, which ScubaGear lists apart
// from them and only those that were provisioned. They are handed on as one SKU
// that says nothing else: which SKU a plan came from is not in the export.
func scubaPlans(f *file, s *scanner, c byte, p place) error {
	s.deep = false
	raw, err := s.raw()
	switch {
	case err == errTooLarge:
		f.fault(f.at(p), s.offset(), fmt.Sprintf("this list is larger than %s and was skipped", size(f.o.MaxRecord)))
		return s.value()
	case err != nil:
		return err
	case s.deep:
		f.fault(f.at(p), 0, fmt.Sprintf("this list is nested deeper than %d and was skipped", maxDepth))
		return nil
	}
	if c == '{' {
		raw = append(append([]byte{'['}, raw...), ']')
	}
	if len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 {
		f.emptyList(evidence.SubscribedSku, "")
		return nil
	}
	rec := append([]byte(`{"servicePlans":`), raw...)
	return f.emit(evidence.SubscribedSku, append(rec, '}'), p)
}

// scubaMethods reads {authentication_method_policy, authentication_method_feature_settings}:
// the settings are the method configurations that the policy lacks.
func scubaMethods(f *file, s *scanner, c byte, p place) error {
	_, err := scubaEach(f, s, c, p, func(raw []byte, p place) error {
		var policy, settings []byte
		members(raw, func(k, v []byte) bool {
			switch strings.ToLower(unquote(k)) {
			case "authentication_method_policy":
				policy = v
			case "authentication_method_feature_settings":
				settings = v
			}
			return true
		})
		if len(policy) == 0 || policy[0] != '{' {
			policy = []byte("{}")
			if len(settings) == 0 || settings[0] == 'n' {
				return nil
			}
		}
		rec := policy
		if len(settings) > 0 && (settings[0] == '[' || settings[0] == '{') {
			rec = with(nil, "authenticationMethodConfigurations", settings, policy)
		}
		return f.emit(evidence.AuthenticationMethods, rec, p)
	})
	return err
}

// scubaTenant reads the organization, which stands in AADAdditionalData.
func scubaTenant(f *file, s *scanner, c byte, p place) error {
	_, err := scubaEach(f, s, c, p, func(raw []byte, p place) error {
		var inner []byte
		members(raw, func(k, v []byte) bool {
			if strings.EqualFold(unquote(k), "AADAdditionalData") {
				inner = v
			}
			return true
		})
		if len(inner) > 2 && (inner[0] == '{' || inner[0] == '[') {
			_, err := scubaEach(f, memScanner(inner), inner[0], p, func(raw []byte, p place) error {
				return f.emit(evidence.Organization, raw, p)
			})
			return err
		}
		return f.emit(evidence.Organization, raw, p)
	})
	return err
}

// scubaFailed notes the commands that failed: their members are empty because
// nobody could read them, not because there is nothing.
func scubaFailed(f *file, s *scanner, c byte, p place) error {
	raw, err := s.raw()
	if err == errTooLarge {
		return s.value()
	}
	if err != nil || c != '[' {
		return err
	}
	var names []string
	es := memScanner(raw)
	_ = es.array(func(c byte) error {
		v, err := es.raw()
		if err == nil && c == '"' {
			names = append(names, clip(unquote(v)))
		}
		return err
	}) // raw is valid
	if len(names) > 0 {
		f.fault(f.at(p), 0, "the export says that these commands failed, so what they read is missing: "+clip(strings.Join(names, ", ")))
	}
	return nil
}
