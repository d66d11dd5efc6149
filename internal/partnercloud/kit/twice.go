package kit

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Twice gives the first member of a JSON text that its object has twice, in one
// spelling or several: which of both would count differs between readers. "" when
// there is none, or the text is not JSON.
func Twice(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type level struct {
		seen map[string]bool // nil: an array
		name bool            // the next token is a name
	}
	var stack []*level
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		var top *level
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		if name, ok := t.(string); ok && top != nil && top.seen != nil && top.name {
			if top.seen[strings.ToLower(name)] {
				return Clip(name)
			}
			top.seen[strings.ToLower(name)] = true
			top.name = false
			continue
		}
		if top != nil {
			top.name = true // after a value
		}
		switch t {
		case json.Delim('{'):
			stack = append(stack, &level{seen: map[string]bool{}, name: true})
		case json.Delim('['):
			stack = append(stack, &level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}
