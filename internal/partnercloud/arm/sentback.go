package arm

import (
	"strings"

	"partnerguard/internal/partnercloud/kit"
)

// What a PUT or PATCH may send back as it was read: it says nothing, as long as it is
// what it was. Anything else is refused, since nothing would follow from it.

// named are the members that every resource is read with.
type named struct {
	ID   any `json:"id,omitempty"`
	Name any `json:"name,omitempty"`
	Type any `json:"type,omitempty"`
}

// judge refuses the members of another resource than that of the path.
func (n named) judge(id, kind string) *fault {
	for _, x := range []struct {
		name, now string
		sent      any
	}{{"id", id, n.ID}, {"name", id[strings.LastIndexByte(id, '/')+1:], n.Name}, {"type", kind, n.Type}} {
		if v, text := x.sent.(string); x.sent != nil && (!text || !strings.EqualFold(v, x.now)) {
			return readOnly(x.name)
		}
	}
	return nil
}

// unchanged refuses a read-only member that says something else than what is.
func unchanged(name string, sent, now any) *fault {
	if kit.Differs(map[string]any{name: sent}, map[string]any{name: now}) == "" {
		return nil
	}
	return readOnly(name)
}

func readOnly(name string) *fault {
	return bad("InvalidRequestContent", "The member '"+name+"' is read-only: it can only be sent back as it was read.")
}
