package graph

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The control information of an answer, as odata.metadata asks for it (OASIS OData
// JSON Format 4.0, section 3.1).

// directoryTypes are the types of directory objects, as their ids name them.
func directoryTypes() map[string]string {
	return map[string]string{
		"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal", "application": "Application", "directoryRole": "DirectoryRole",
		"administrativeUnit": "AdministrativeUnit", "directoryRoleTemplate": "DirectoryRoleTemplate",
	}
}

// links are @odata.id and @odata.editLink of an object at odata.metadata=full.
func (e *entity) links() (id, edit string) {
	name, ok := directoryTypes()[e.typ]
	if !ok {
		return "", ""
	}
	edit = "directoryObjects/" + e.key(e.row) + "/Microsoft.DirectoryServices." + name
	return e.full + "/" + edit, edit
}

// fully asks for full control information of an object.
func (c *call) fully(e *entity) *entity {
	if c.level == "full" {
		e.full = c.base + "/v2/" + c.caller.Tenant
	}
	return e
}

// stripped takes the control information out of an answer, but what a client needs
// to go on: next and delta links, and counts.
func stripped(body []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	out := make([]byte, 0, len(body))
	out, err := stripValue(d, out)
	if err != nil {
		return body
	}
	return out
}

func stripValue(d *json.Decoder, out []byte) ([]byte, error) {
	tok, err := d.Token()
	if err != nil {
		return out, err
	}
	switch tok {
	case json.Delim('['):
		out = append(out, '[')
		for n := 0; d.More(); n++ {
			if n > 0 {
				out = append(out, ',')
			}
			if out, err = stripValue(d, out); err != nil {
				return out, err
			}
		}
		_, err = d.Token()
		return append(out, ']'), err
	case json.Delim('{'):
		out = append(out, '{')
		for n := 0; d.More(); {
			k, err := d.Token()
			if err != nil {
				return out, err
			}
			name, _ := k.(string)
			if control(name) {
				var gone json.RawMessage
				if err := d.Decode(&gone); err != nil {
					return out, err
				}
				continue
			}
			if n > 0 {
				out = append(out, ',')
			}
			n++
			out = append(appendText(out, name), ':')
			if out, err = stripValue(d, out); err != nil {
				return out, err
			}
		}
		_, err = d.Token()
		return append(out, '}'), err
	}
	return appendValue(out, tok), nil
}

// control reports a member that odata.metadata=none leaves out.
func control(name string) bool {
	switch name {
	case "@odata.nextLink", "@odata.deltaLink", "@odata.count":
		return false
	}
	return strings.Contains(name, "@odata.")
}
