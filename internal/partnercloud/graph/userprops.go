package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"partnerguard/internal/partnercloud/world"
)

// Properties of a user that decide nothing here are kept as they were written, in
// the profile of the account.

// kept are these properties and what they may hold (Microsoft Graph, "user
// resource"; lengths as there).
func kept() fields { return keptOnce() }

var keptOnce = sync.OnceValue(func() fields {
	ext := fields{}
	for _, n := range words(extensions) {
		ext[n] = text().upTo(1024)
	}
	return fields{
		"aboutMe": text(), "birthday": when(), "hireDate": when(), "interests": list(text()), "mySite": text(), "pastProjects": list(text()),
		"preferredName": text(), "responsibilities": list(text()), "schools": list(text()), "skills": list(text()),
		"ageGroup": enum("Minor NotAdult Adult"), "consentProvidedForMinor": enum("Granted Denied NotRequired"),
		"businessPhones": list(text().upTo(64)).upTo(1), "city": text().upTo(128), "companyName": text().upTo(64), "country": text().upTo(128),
		"employeeHireDate": when(), "employeeId": text().upTo(16), "employeeLeaveDateTime": when(), "employeeType": text().upTo(128),
		"employeeOrgData": obj(fields{"costCenter": text().upTo(64), "division": text().upTo(64)}), "faxNumber": text().upTo(64),
		"mobilePhone": text().upTo(64), "officeLocation": text().upTo(128), "onPremisesExtensionAttributes": obj(ext),
		"onPremisesImmutableId": text().upTo(256), "otherMails": list(text().upTo(256)).upTo(250), "passwordPolicies": flags(
			"None DisableStrongPassword DisablePasswordExpiration"), "postalCode": text().upTo(40), "preferredDataLocation": text().upTo(16),
		"preferredLanguage": text().upTo(64), "showInAddressList": flag(), "state": text().upTo(128), "streetAddress": text().upTo(1024),
	}
})

const extensions = "extensionAttribute1 extensionAttribute2 extensionAttribute3 extensionAttribute4 extensionAttribute5 extensionAttribute6 " +
	"extensionAttribute7 extensionAttribute8 extensionAttribute9 extensionAttribute10 extensionAttribute11 extensionAttribute12 " +
	"extensionAttribute13 extensionAttribute14 extensionAttribute15"

// asLists are those of kept that are collections.
const asLists = "interests pastProjects responsibilities schools skills businessPhones otherMails"

// byHand are those that are given with $select alone, even in beta.
const byHand = "aboutMe birthday hireDate interests mySite pastProjects preferredName responsibilities schools skills"

// keptFields show them.
func keptFields() (out []field) {
	in := func(list, n string) bool { return strings.Contains(" "+list+" ", " "+n+" ") }
	for _, n := range slices.Sorted(maps.Keys(kept())) {
		var none any
		switch {
		case in(asLists, n):
			none = []string{}
		case n == "onPremisesExtensionAttributes":
			o := object{}
			for _, x := range words(extensions) {
				o = append(o, member{x, nil})
			}
			none = o
		}
		fd := f(n, func(u *world.User) any {
			if u.Profile != nil {
				if v, ok := u.Profile.Props[n]; ok {
					return v
				}
			}
			return none
		})
		fd.asked = in(byHand, n)
		out = append(out, fd)
	}
	return out
}

// emptyText refuses a property that is set to an empty text: it is taken back by
// null.
func emptyText(m map[string]any, typ string) error {
	for k, v := range m {
		if s, ok := v.(string); ok && s == "" && !strings.Contains(k, "@odata.") {
			return badRequest("Invalid value specified for property '%s' of resource '%s'.", clip(k), typ)
		}
	}
	return nil
}

// keep takes over what the body says of kept properties and notes what changes.
func (c *call) keep(u *world.User, ch *change) {
	var next *world.Profile
	for n, s := range kept() {
		v, ok := c.in[n]
		if !ok {
			continue
		}
		if next == nil {
			next = u.Profile.With(func(*world.Profile) {})
		}
		old := next.Props[n]
		if s.kind == kObject && v != nil { // members that are not named stay
			v = fill(s.props, merge(decodeObject(old), v.(map[string]any)))
		}
		if v == nil {
			delete(next.Props, n)
		} else {
			raw, err := json.Marshal(v)
			if err != nil {
				continue
			}
			if next.Props == nil {
				next.Props = map[string]json.RawMessage{}
			}
			next.Props[n] = raw
		}
		ch.changed(strings.ToUpper(n[:1])+n[1:], was(old), was(next.Props[n]))
	}
	if n := str(c.in, "mailNickname"); n != "" {
		if next == nil {
			next = u.Profile.With(func(*world.Profile) {})
		}
		ch.changed("MailNickname", []string{nickname(u)}, []string{n})
		if next.Nickname = n; n == localPart(u.UPN) {
			next.Nickname = ""
		}
	}
	if next != nil {
		u.Profile = next
	}
}

// was is a kept value as the audit log shows it.
func was(raw json.RawMessage) any {
	if raw == nil {
		return []string{}
	}
	return []json.RawMessage{raw}
}

func localPart(upn string) string { n, _, _ := strings.Cut(upn, "@"); return n }

func nickname(u *world.User) string {
	if u.Profile != nil && u.Profile.Nickname != "" {
		return u.Profile.Nickname
	}
	return localPart(u.UPN)
}
