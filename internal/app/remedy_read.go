package app

import (
	"bytes"
	"encoding/json"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
)

// readSettings keeps the records that a plan may change as they were read.
type readSettings struct {
	objects find.Objects
	// raw are policies by where they were read: of several copies the facts choose.
	raw map[string][]byte
	// told are accounts, by lower-case id, whose record says whether they come from another
	// directory, be it null: Graph writes null for one that does not.
	told map[string]bool
}

var syncMember = []byte(`"onpremisessyncenabled"`)

func (k *readSettings) take(kind evidence.Kind, raw []byte, src evidence.Source) {
	switch kind {
	case evidence.ConditionalAccessPolicy:
		k.raw[src.String()] = bytes.Clone(raw)
	case evidence.RoleAssignment:
		k.keep(remedy.Role, raw)
	case evidence.Application:
		k.credentials("applications", raw)
	case evidence.AuthorizationPolicy:
		k.one(remedy.Authorization, raw)
	case evidence.AdminConsentPolicy:
		k.one(remedy.ConsentRequests, raw)
	case evidence.AuthenticationMethods:
		k.methods(raw)
	case evidence.User:
		if !bytes.Contains(bytes.ToLower(raw), syncMember) {
			return
		}
		var u struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(raw, &u) == nil && u.ID != "" {
			k.told[strings.ToLower(u.ID)] = true
		}
	}
}

func (k *readSettings) keep(kind remedy.Kind, raw []byte) {
	var o struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &o) != nil || o.ID == "" {
		return
	}
	if k.objects[kind] == nil {
		k.objects[kind] = map[string]find.Read{}
	}
	k.objects[kind][strings.ToLower(o.ID)] = find.Read{Raw: bytes.Clone(raw)}
}

// methods keeps each configuration of the authentication methods policy.
func (k *readSettings) methods(raw []byte) {
	var p struct {
		List []json.RawMessage `json:"authenticationMethodConfigurations"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return
	}
	for _, c := range p.List {
		k.keep(remedy.Method, c)
	}
}

// objectsOf gives the records that the facts chose among copies.
func (k *readSettings) objectsOf(f *facts.Facts) find.Objects {
	list := map[string]find.Read{}
	for _, p := range f.Policies {
		if raw := k.raw[p.Source.String()]; raw != nil && p.ID != "" {
			list[strings.ToLower(p.ID)] = find.Read{Raw: raw}
		}
	}
	k.objects[remedy.Policy] = list
	k.disputed(f)
	return k.objects
}
