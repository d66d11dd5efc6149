package msapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/lenient"
	"partnerguard/internal/problem"
)

// forbiddenMember ends the reseller relationship with a customer when it is sent to
// Partner Center: every subscription is suspended (contracts.md section 2.3). This program
// never sends it: whoever wants that does it in Partner Center.
const forbiddenMember = "relationshipToPartner"

// maxGuarded bounds a body of ours. The largest is a page of an import of some hundred seeds.
const maxGuarded = 16 << 20

// guarded refuses a request that would end a reseller relationship, however it is spelt and
// however deep it lies. Every request of a Client passes here, right before it leaves.
func guarded(r *http.Request) error {
	if strings.Contains(strings.ToLower(r.URL.RawQuery), strings.ToLower(forbiddenMember)) {
		return errForbidden
	}
	fraud := answersFraud(r)
	if r.Body == nil || r.Body == http.NoBody {
		if fraud {
			return errAnswersAll
		}
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxGuarded+1))
	if err != nil {
		return err
	}
	if len(raw) > maxGuarded {
		return problem.New(problem.Limit, "a request is longer than this program sends")
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if mentions(raw) {
		return errForbidden
	}
	if answersAll(raw, 0) || fraud && !oneEvent(raw) {
		return errAnswersAll
	}
	return nil
}

// errAnswersAll is the refusal of an answer to every fraud event of a subscription. It is final.
var errAnswersAll error = problem.New(problem.Internal, "this program never answers fraud events that it does not name: no ids would mean all of them").
	WithHint("this is a mistake of the program: report it")

// eventIDs is the member of Partner Center's answer to fraud events which, empty, means every
// event of the subscription (contracts.md section 2.9).
const eventIDs = "eventIds"

// answersAll says whether a body has the member, however it is spelt and however deep it lies,
// and it is not a list of ids; or an answer to fraud events lacks it.
func answersAll(raw []byte, depth int) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || depth > 64 {
		return depth > 64
	}
	switch raw[0] {
	case '{':
		status, ids, all := false, false, false
		lenient.Members(raw, func(name string, value json.RawMessage) {
			switch {
			case strings.EqualFold(name, eventIDs):
				ids, all = true, all || !listed(value)
			case strings.EqualFold(name, "eventStatus"):
				status = true
			}
			all = all || answersAll(value, depth+1)
		})
		return all || status && !ids
	case '[':
		var list []json.RawMessage
		return json.Unmarshal(raw, &list) == nil && slices.ContainsFunc(list, func(v json.RawMessage) bool { return answersAll(v, depth+1) })
	case '"':
		var text string
		if json.Unmarshal(raw, &text) != nil || !strings.ContainsAny(text, "{[") {
			return false
		}
		return answersAll([]byte(text), depth+1)
	}
	return false
}

// listed says that a value is a list of ids, and not an empty one.
func listed(value json.RawMessage) bool {
	var ids []string
	return json.Unmarshal(value, &ids) == nil && len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return strings.TrimSpace(id) == "" })
}

// errForbidden is the refusal. It is final.
var errForbidden error = problem.New(problem.Internal, "this program never ends a reseller relationship: that would suspend every subscription").
	WithHint("this is a mistake of the program: report it")

// mentions says whether the name stands in a body, plainly or as a member of JSON whose
// letters are escaped.
func mentions(raw []byte) bool {
	if bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(forbiddenMember))) {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		t, err := d.Token()
		if err != nil {
			return false
		}
		if s, ok := t.(string); ok && strings.Contains(strings.ToLower(s), strings.ToLower(forbiddenMember)) {
			return true
		}
	}
}
