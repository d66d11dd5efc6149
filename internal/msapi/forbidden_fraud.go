package msapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
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

// oneEvent says that the body of an answer is for exactly one event: EventIds missing, empty,
// of an empty id, given twice or of several is not (contracts.md section 2.9).
func oneEvent(raw []byte) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return false
		}
		text, _ := name.(string)
		if !strings.EqualFold(text, "EventIds") {
			if strings.EqualFold(strings.TrimSpace(text), "EventIds") {
				return false
			}
			continue
		}
		var ids []string
		if found || json.Unmarshal(value, &ids) != nil || len(ids) != 1 || strings.TrimSpace(ids[0]) == "" {
			return false
		}
		found = true
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') || !found {
		return false
	}
	if _, err := d.Token(); err == nil { // something follows
		return false
	}
	return true
}
