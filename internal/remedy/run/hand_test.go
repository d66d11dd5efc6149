//go:build !judge

package run

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/control"
)

func call(path string) control.GraphCall { return control.GraphCall{Method: "GET", Path: path} }

// requestsIn reads the requests out of the instructions, as a person would.
func requestsIn(t *testing.T, text string) (out []control.GraphCall) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		rest, is := strings.CutPrefix(l, "  Graph:  ")
		if !is {
			continue
		}
		method, where, _ := strings.Cut(rest, " ")
		q := control.GraphCall{Method: method, Path: strings.TrimPrefix(where, "https://graph.microsoft.com")}
		if strings.Contains(lines[i+1], "Content-Type") {
			var body strings.Builder
			for _, b := range lines[i+3:] {
				part, in := strings.CutPrefix(b, "          ")
				if !in {
					break
				}
				body.WriteString(part + "\n")
			}
			if !json.Valid([]byte(body.String())) {
				t.Fatalf("no JSON: %s", body.String())
			}
			q.Body = json.RawMessage(body.String())
		}
		out = append(out, q)
	}
	if len(out) == 0 {
		t.Fatalf("no request in\n%s", text)
	}
	return out
}
