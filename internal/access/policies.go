package access

import (
	"bytes"
	"encoding/json"
	"errors"

	"partnerguard/internal/problem"
)

// ParsePolicies reads policies that somebody proposes: one, a list of them, or a page of
// Graph, at most most of them. Kind problem.BadInput where it is something else. What of
// a policy is not understood stands in its Unsupported.
func ParsePolicies(raw []byte, most int) ([]*Policy, error) {
	bad := func(err error) error {
		p := problem.Wrap(err, problem.BadInput, "it is no Conditional Access policy in JSON")
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			p = problem.Wrap(err, problem.BadInput, "it is no JSON: line %d: %s", 1+bytes.Count(raw[:min(int(s.Offset), len(raw))], []byte("\n")), s.Error())
		}
		return p.WithHint("one policy as Microsoft Graph writes it, a list of them, or a page with them in value")
	}
	raw = bytes.TrimSpace(raw)
	if !json.Valid(raw) {
		var v any
		return nil, bad(json.Unmarshal(raw, &v))
	}
	var list []json.RawMessage
	switch {
	case len(raw) > 0 && raw[0] == '[':
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, bad(err)
		}
	case len(raw) > 0 && raw[0] == '{':
		var page struct {
			Value *[]json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(raw, &page); err == nil && page.Value != nil {
			list = *page.Value
		} else {
			list = []json.RawMessage{raw}
		}
	default:
		return nil, bad(nil)
	}
	if len(list) == 0 || len(list) > most {
		return nil, problem.New(problem.BadInput, "it holds %d policies; from 1 to %d are taken", len(list), most)
	}
	out := make([]*Policy, len(list))
	for i, x := range list {
		var p Policy
		if x = bytes.TrimSpace(x); len(x) == 0 || x[0] != '{' {
			return nil, bad(nil)
		}
		if err := json.Unmarshal(x, &p); err != nil {
			return nil, bad(err)
		}
		var shape struct {
			State      *json.RawMessage `json:"state"`
			Conditions *json.RawMessage `json:"conditions"`
		}
		if err := json.Unmarshal(x, &shape); err != nil || shape.State == nil || shape.Conditions == nil {
			return nil, problem.New(problem.BadInput, "number %d has no state or no conditions, and so is no policy", i+1).
				WithHint("copy it from Microsoft Graph, /identity/conditionalAccess/policies")
		}
		out[i] = &p
	}
	return out, nil
}
