package detect

import (
	"encoding/json"
	"strconv"
	"strings"

	"partnerguard/internal/intake/text"
)

// asked reads what was asked for: the bodies of request and answer, the failure, the role.
func (r *eventRow) asked(e *Event) {
	if l := []byte(r.Location); e.Region == "" && len(l) > 0 && l[0] == '"' {
		e.Region = regionName(text.Unquote(l))
	}
	b := &body{e: e, top: bodyDepth + 1}
	if len(r.Auth) > 0 && r.Auth[0] == '{' {
		text.Members(r.Auth, func(key, val []byte) bool {
			if strings.EqualFold(text.Unquote(key), "scope") && e.Resource == "" && val[0] == '"' {
				e.Resource = text.Unquote(val)
			}
			return true
		})
	}
	b.walk("properties", open(r.Props, 1), 0)
	if e.Size == "" && b.cpu > 0 {
		e.Size = "D" + strconv.Itoa(min(b.cpu, 999))
	}
	if b.low > 0 || b.dedicated > 0 {
		e.Count = b.low + b.dedicated
	}
	if b.quota != "" && !strings.HasPrefix(strings.ToLower(e.Status), "succe") {
		e.Status, e.Code = "Failed", b.quota
	}
	if e.Region == "" {
		e.Region = regionName(b.inID(e.Resource))
	}
}

// body looks through the bodies of a row.
type body struct {
	e              *Event
	low, dedicated int
	cpu            int
	quota          string // the code of a failure
	seen           int
	depth          int  // of what is looked at
	top            int  // where the region was found: a thing's own is above those of its parts
	request        bool // what is looked at is what the caller wrote
}

// Limits of a body.
const (
	bodyDepth   = 10
	bodyMembers = 3000
)

// walk takes what it knows by its name, wherever it stands; bodies are often JSON in a text.
func (b *body) walk(name string, raw []byte, depth int) {
	if depth > bodyDepth || len(raw) == 0 {
		return
	}
	b.depth = depth
	switch raw[0] {
	case '{':
		text.Members(raw, func(key, val []byte) bool {
			if b.seen++; b.seen > bodyMembers {
				return false
			}
			k := strings.ToLower(text.Unquote(key))
			if k == "tags" || k == "claims" || k == "identity" {
				return true
			}
			if name == "sku" && k == "name" {
				k = "skuname"
			}
			was := b.request
			b.request = was || k == "requestbody"
			b.walk(k, val, depth+1)
			b.request = was
			return true
		})
	case '[':
		text.Elements(raw, func(v []byte) {
			if b.seen++; b.seen <= bodyMembers {
				b.walk(name, v, depth+1)
			}
		})
	case '"':
		s := strings.TrimSpace(text.Unquote(raw))
		if len(s) > 1 && (s[0] == '{' || s[0] == '[') {
			if json.Valid([]byte(s)) {
				b.walk(name, []byte(s), depth+1)
			}
			return
		}
		b.text(name, s)
	default:
		if f, err := strconv.ParseFloat(string(raw), 64); err == nil && f >= 0 && f < 1e6 {
			b.number(name, f)
		}
	}
}

// text takes a member that is a text.
func (b *body) text(name, s string) {
	e := b.e
	switch name {
	case "vmsize", "hardwareprofile", "skuname", "size", "machinetype", "instancetype":
		if z := parseSize(s); z.name != "" && (e.Size == "" || z.cores > parseSize(e.Size).cores) {
			e.Size = s
		}
	case "location", "region", "resourcelocation":
		if r := regionName(s); r != "" && b.depth <= b.top {
			e.Region, b.top = r, b.depth
		}
	case "roledefinitionid", "roledefinitionname":
		e.Role = s[strings.LastIndexByte(s, '/')+1:]
	case "principalid":
		e.Targets = append(e.Targets, strings.ToLower(s))
	case "code", "statuscode", "statusmessage", "errorcode":
		if b.request { // whoever calls does not say what came of it
			return
		}
		if failureOf(s) == failQuota {
			b.quota = s
		} else if e.Code == " " || e.Code == "" {
			e.Code = s
		}
	case "message":
		if !b.request && failureOf(strings.ReplaceAll(s, " ", "")) == failQuota && b.quota == "" && bad(e.Status) {
			b.quota = "QuotaExceeded"
		}
	case "capacity", "instancecount", "count", "nodecount", "maxnodecount", "vcpu", "cpu", "targetdedicatednodes", "targetlowprioritynodes":
		if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 0 && f < 1e6 {
			b.number(name, f)
		}
	}
}

// number takes a member that is a number.
func (b *body) number(name string, f float64) {
	switch name {
	case "capacity", "instancecount", "count", "nodecount", "maxnodecount":
		b.e.Count = max(b.e.Count, int(f))
	case "targetdedicatednodes":
		b.dedicated = int(f)
	case "targetlowprioritynodes", "targetspotnodes":
		b.low = int(f)
	case "cpu", "vcpu", "cores":
		b.cpu = max(b.cpu, int(f+0.5))
	}
}

// inID finds a region in a resource's id: "/locations/westeurope/".
func (b *body) inID(id string) string {
	_, rest, ok := strings.Cut(strings.ToLower(id), "/locations/")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "/")
	return rest
}
