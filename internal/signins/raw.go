package signins

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/lenient"
	"partnerguard/internal/print"
)

// member is one member of a row as it is shown.
type member struct {
	name, value string
	decides     bool
}

// membersOf are the members of an archived row: those that decide first, then the others
// as they stand there; empty ones are left out, and what stands under names of secrets.
func membersOf(raw []byte) (out []member) {
	var rest []member
	lenient.Members(Redact(raw), func(name string, value json.RawMessage) {
		v := bytes.TrimSpace(value)
		switch string(v) {
		case "null", `""`, "[]", "{}":
			return
		}
		m := member{name: print.Clean(name, 80), value: print.Clean(valueWords(v), 600), decides: slices.Contains(deciding, name)}
		if m.decides {
			out = append(out, m)
		} else {
			rest = append(rest, m)
		}
	})
	return append(out, rest...)
}

// valueWords is a value in one line: a text without its quotes.
func valueWords(v []byte) string {
	var s string
	if len(v) > 0 && v[0] == '"' && json.Unmarshal(v, &s) == nil {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, v) == nil {
		return b.String()
	}
	return string(v)
}

// Redact is a row without what stands under names of secrets, at any depth. The log has
// none of them; whatever writes something into it could. A row without them is given as it
// is, and one that is no JSON is not given.
func Redact(raw []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	if !redact(v) {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}

func redact(v any) (found bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if secretName(name) && x != nil {
				v[name], found = "[redacted]", true
			} else if redact(x) {
				found = true
			}
		}
	case []any:
		for _, x := range v {
			found = redact(x) || found
		}
	}
	return found
}

// secretName says whether a member is called as what nobody should see. The log has none
// of these; whatever writes something into it could.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, s := range []string{"password", "secret", "refreshtoken", "accesstoken", "idtoken", "credentialvalue", "cookie"} {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}
