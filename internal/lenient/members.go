package lenient

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// Members calls take with the name and the value of each member of the JSON object
// raw, in the order they are written and as often as a name is there. ok is false
// when raw is no object, or breaks off; what follows the object is not looked at.
// Bytes of a name that are not UTF-8 come as U+FFFD, as encoding/json has it.
func Members(raw []byte, take func(name string, value json.RawMessage)) (ok bool) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return false
	}
	for {
		t, err := dec.ReadToken()
		if err != nil || t.Kind() == '}' {
			return err == nil
		}
		name := t.String()
		v, err := dec.ReadValue()
		if err != nil {
			return false
		}
		take(name, json.RawMessage(bytes.Clone(v)))
	}
}
