package kit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What an API does not understand it refuses: an option, header or member that is
// ignored lets a client believe that it was obeyed. Where production ignores it, the
// cloud is stricter, and says what it does not know.

// UnknownOption gives the first query parameter, by name, that is none of those
// taken; "" when all are. Names count without case.
func UnknownOption(q url.Values, taken ...string) string {
	unknown := ""
	for name := range q {
		if !slices.ContainsFunc(taken, func(t string) bool { return strings.EqualFold(t, name) }) && (unknown == "" || name < unknown) {
			unknown = name
		}
	}
	return unknown
}

// RepeatedOption gives the first query parameter, by name, that is there more than
// once, in one spelling or several; "" when none is. Only one of them would count.
// lists are those that may be repeated.
func RepeatedOption(q url.Values, lists ...string) string {
	repeated := ""
	for name, values := range q {
		if slices.ContainsFunc(lists, func(l string) bool { return strings.EqualFold(l, name) }) {
			continue
		}
		twice := len(values) > 1
		for other := range q {
			twice = twice || other != name && strings.EqualFold(other, name)
		}
		if twice && (repeated == "" || name < repeated) {
			repeated = name
		}
	}
	return repeated
}

// Headers says which request headers an API understands.
type Headers struct {
	// Own are prefixes of the API's own headers, in canonical form ("Ms-"): one that
	// Taken does not name is refused.
	Own []string
	// Taken are understood, or said by Microsoft's clients of themselves alone.
	Taken []string
}

// conditions make an operation depend on a state that the API would have to look at.
var conditions = []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"}

// overrides replace the method.
var overrides = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// Unknown gives the first header, by name, that asks for something that neither the
// API nor the operation (more) understands; "" when there is none. Conditions on a
// read are no such thing: whole answers are always right. What other headers say is
// about the client or the connection.
func (a Headers) Unknown(r *http.Request, more ...string) string {
	unknown := ""
	for name := range r.Header {
		steers := slices.Contains(overrides, name) ||
			slices.Contains(conditions, name) && r.Method != http.MethodGet && r.Method != http.MethodHead ||
			slices.ContainsFunc(a.Own, func(p string) bool { return strings.HasPrefix(name, p) })
		known := func(t string) bool { return strings.EqualFold(t, name) }
		if steers && !slices.ContainsFunc(a.Taken, known) && !slices.ContainsFunc(more, known) && (unknown == "" || name < unknown) {
			unknown = name
		}
	}
	return unknown
}

// Object reads a body as one JSON object into a struct, names without case. The
// error's text is safe to show: it names a member that the struct does not have, one of
// a wrong type or one that is there twice, never a value.
func Object(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			return errors.New("more stands behind the JSON object")
		}
		if name := Twice(body); name != "" {
			return errors.New("the member '" + name + "' is there twice")
		}
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return errors.New("a JSON object was expected")
		}
		return errors.New("the member '" + Clip(wrong.Field) + "' has a wrong type")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return errors.New("the member '" + Clip(strings.Trim(name, `"`)) + "' is not known here")
	}
	return errors.New("it is not JSON")
}

// clipped is how much of a client's text goes into an error.
const clipped = 64

// Clip keeps what a client sent from filling an error text.
func Clip(v string) string {
	if len(v) > clipped {
		v = v[:clipped]
	}
	return strings.ToValidUTF8(v, "?")
}

// LeftOut refuses an operation that Microsoft has and the partner cloud has not.
func LeftOut(name string) *Fault {
	return Refusef(http.StatusNotImplemented, "NotImplemented", "%s is not part of the partner cloud. What is left out: docs/partner-cloud-routes.md.", name)
}
