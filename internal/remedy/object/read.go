package object

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Read is the path that reads an object, with its version: GET, an answer that [Pick]
// takes. "" for what cannot be read and for an id of another form.
func Read(kind remedy.Kind, id string) string {
	k := kinds[kind]
	switch {
	case k == nil || k.shape == nil || !k.one && !kind.IsID(id):
		return ""
	case kind == remedy.Policy || kind == remedy.Methods: // v1.0 leaves out what it does not know
		return "/beta" + k.at(id)
	case kind == remedy.Member:
		group, member, _ := strings.Cut(id, "/")
		return "/v1.0/groups/" + group + "/members?$filter=id%20eq%20'" + member + "'&$select=id&$count=true"
	case kind == remedy.AppRole: // Graph has no address that reads one
		principal, _, _ := strings.Cut(id, "/")
		return "/v1.0/servicePrincipals/" + principal + "/appRoleAssignments"
	case kind == remedy.Credential:
		return "/v1.0" + k.at(id) + "?$select=passwordCredentials,keyCredentials"
	case k.names != "":
		return k.version() + k.at(id) + "?$select=" + k.names
	}
	return k.version() + k.at(id)
}

// Pick takes the object of an id out of the answer to [Read]; nil where it is not in it.
func Pick(kind remedy.Kind, id string, answer json.RawMessage) (json.RawMessage, error) {
	switch kind {
	case remedy.Member:
		group, member, _ := strings.Cut(id, "/")
		return pickFrom(answer, member, func(json.RawMessage) map[string]any { return map[string]any{"group": group, "member": member} })
	case remedy.AppRole:
		_, link, _ := strings.Cut(id, "/")
		return pickFrom(answer, link, func(row json.RawMessage) map[string]any { m, _ := decode(row); return m })
	case remedy.Credential:
		return pickCredential(id, answer)
	}
	if m, err := decode(answer); err != nil || m == nil {
		return nil, err
	}
	return answer, nil
}

// pickFrom takes one row of a list by its id.
func pickFrom(answer json.RawMessage, id string, shown func(json.RawMessage) map[string]any) (json.RawMessage, error) {
	var page struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the answer is no list")
	}
	for _, row := range page.Value {
		var of struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(row, &of) == nil && strings.EqualFold(of.ID, id) {
			return write(shown(row)), nil
		}
	}
	if page.Next != "" { // what is on another page is not "none"
		return nil, problem.New(problem.Unavailable, "the list has more pages than were read").WithHint("read all of them, and pick again")
	}
	return nil, nil
}

func pickCredential(id string, answer json.RawMessage) (json.RawMessage, error) {
	var app struct {
		Passwords []map[string]any `json:"passwordCredentials"`
		Keys      []map[string]any `json:"keyCredentials"`
	}
	if err := json.Unmarshal(answer, &app); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the answer is no application")
	}
	key := id[strings.LastIndexByte(id, '/')+1:]
	for kind, list := range map[string][]map[string]any{"password": app.Passwords, "key": app.Keys} {
		for _, c := range list {
			if s, _ := c["keyId"].(string); strings.EqualFold(s, key) {
				c["type"] = kind
				return write(c), nil
			}
		}
	}
	return nil, nil
}

// Made is the id of what a create made, from the answer to its request.
func Made(step *remedy.Step, ids map[string]string, answer json.RawMessage) (string, error) {
	if step.Kind == remedy.Member {
		o, err := Resolve(step.Kind, step.After, ids)
		if err != nil {
			return "", err
		}
		m, err := decode(o)
		if err != nil {
			return "", err
		}
		group, _ := m["group"].(string)
		member, _ := m["member"].(string)
		return group + "/" + member, nil
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		return "", problem.Wrap(err, problem.BadInput, "the answer to a create is no object")
	}
	if guidForm.MatchString(made.ID) {
		made.ID = strings.ToLower(made.ID)
	}
	if step.Kind == remedy.AppRole {
		m, err := decode(step.After)
		if err != nil {
			return "", err
		}
		principal, _ := m["principalId"].(string)
		made.ID = principal + "/" + made.ID
	}
	if !step.Kind.IsID(made.ID) {
		return "", problem.New(problem.BadInput, "the answer to a create has no id")
	}
	return made.ID, nil
}

// ID puts ids in the place of keys, in an id of one or two parts.
func ID(id string, ids map[string]string) (string, error) {
	parts := strings.Split(id, "/")
	for i, p := range parts {
		v, err := resolved(p, ids)
		if err != nil {
			return "", err
		}
		parts[i] = v
	}
	return strings.Join(parts, "/"), nil
}

// Resolve puts ids into an object in the place of keys, and brings it into canonical
// form; a key without an id is an error.
func Resolve(kind remedy.Kind, o json.RawMessage, ids map[string]string) (remedy.Object, error) {
	m, _, err := tree(kind, o)
	if err != nil || m == nil {
		return nil, err
	}
	v, err := replace(m, ids)
	if err != nil {
		return nil, err
	}
	return Canonical(kind, write(v)) // sets change their order with their ids
}

func replace(v any, ids map[string]string) (_ any, err error) {
	switch v := v.(type) {
	case string:
		return resolved(v, ids)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			if out[i], err = replace(v[i], ids); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			if out[k], err = replace(v[k], ids); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func resolved(s string, ids map[string]string) (string, error) {
	if !keyForm.MatchString(s) {
		return s, nil
	}
	id, made := ids[s[1:len(s)-1]]
	if !made {
		return "", problem.New(problem.Conflict, "nothing was made for %s yet", s).WithHint("the step that makes it comes first")
	}
	return id, nil
}
