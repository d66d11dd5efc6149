package msapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/problem"
)

// answersFraud says that a request answers Partner Center's fraud events: any write below
// /fraudEvents, however its address is spelt.
func answersFraud(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	path := r.URL.Path
	for range 3 { // escaped more than once, for whoever unescapes more than once
		if strings.Contains(strings.ToLower(path), "fraudevents") {
			return true
		}
		plain, err := url.PathUnescape(path)
		if err != nil || plain == path {
			break
		}
		path = plain
	}
	return false
}

// errEveryEvent is the refusal of an answer that is not for exactly one event. It is final.
var errEveryEvent error = problem.New(problem.Internal, "this program answers exactly one fraud event at a time: without an id Microsoft resolves every event "+
	"of the subscription").WithHint("this is a mistake of the program: report it")

// oneEvent holds the body of an answer to exactly one event: EventIds missing, empty, of an
// empty id, given twice or of several is refused (contracts.md section 2.9).
func oneEvent(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errEveryEvent
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return errEveryEvent
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return errEveryEvent
		}
		text, _ := name.(string)
		if !strings.EqualFold(text, "EventIds") {
			if strings.EqualFold(strings.TrimSpace(text), "EventIds") {
				return errEveryEvent
			}
			continue
		}
		var ids []string
		if found || json.Unmarshal(value, &ids) != nil || len(ids) != 1 || strings.TrimSpace(ids[0]) == "" {
			return errEveryEvent
		}
		found = true
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') || !found {
		return errEveryEvent
	}
	if _, err := d.Token(); err == nil { // something follows
		return errEveryEvent
	}
	return nil
}
