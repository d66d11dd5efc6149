package msapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
)

// forbiddenMember ends the reseller relationship with a customer when it is sent to
// Partner Center: every subscription is suspended (contracts.md section 2.3). This program
// never sends it: whoever wants that does it in Partner Center.
const forbiddenMember = "relationshipToPartner"

// maxGuarded bounds a body of ours. The largest is a page of an import of some hundred seeds.
const maxGuarded = 16 << 20

// guarded refuses a request that would end a reseller relationship, however it is spelt and
// however deep it lies, and an answer to fraud events that is not for exactly one. Every request of a Client passes here, right before it leaves.
func guarded(r *http.Request) error {
	if strings.Contains(strings.ToLower(r.URL.RawQuery), strings.ToLower(forbiddenMember)) {
		return errForbidden
	}
	fraud := answersFraud(r)
	if r.Body == nil || r.Body == http.NoBody {
		if fraud {
			return errEveryEvent
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
	if fraud {
		return oneEvent(raw)
	}
	return nil
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
