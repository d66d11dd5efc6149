package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Request is one line of the file requests.json. Path and body may mention {KEY}: the id
// of what a request before it made, which has this key in Makes.
type Request struct {
	Step        int             `json:"step"`
	Text        string          `json:"text"`
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	Body        json.RawMessage `json:"body,omitempty"`
	Makes       string          `json:"makes,omitempty"`
	Permissions []string        `json:"permissions,omitempty"`
}

// Graph writes a plan as requests: once for people and editors (requests.http), once for
// programs (requests.json).
func Graph(p *remedy.Plan, stage remedy.Stage) (*Out, error) {
	s, err := at(p, stage)
	if err != nil {
		return nil, err
	}
	calls, left, err := s.calls()
	if err != nil {
		return nil, err
	}
	var web strings.Builder
	web.WriteString(comment("#", s.head("Set the variable token, for whom the permissions below were consented to.")))
	fmt.Fprintf(&web, "\n@graph = %s\n", graphHost(p.Tenant.Cloud))
	list := []Request{}
	for _, c := range calls {
		web.WriteString("\n###\n" + comment("#", about(c.step)))
		if c.request.None() {
			continue
		}
		list = append(list, Request{c.step.N, line(c.step.Text), c.request.Method, c.request.Path, c.request.Body, c.step.Key, c.step.Permissions})
		if c.step.Key != "" {
			web.WriteString("# @name " + variable(c.step.Key) + "\n")
		}
		path, body := c.request.Path, pretty(c.request.Body)
		for _, k := range s.keys(path + body) {
			ref := "{{" + variable(k) + ".response.body.id}}"
			path, body = strings.ReplaceAll(path, "{"+k+"}", ref), strings.ReplaceAll(body, "{"+k+"}", ref)
		}
		fmt.Fprintf(&web, "%s {{graph}}%s\nAuthorization: Bearer {{token}}\n", c.request.Method, path)
		if len(c.request.Body) > 0 {
			web.WriteString("Content-Type: application/json\n\n" + body + "\n")
		}
	}
	web.WriteString(leftOver("#", left))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(list); err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the requests cannot be written")
	}
	return &Out{[]File{{"requests.http", []byte(web.String())}, {"requests.json", b.Bytes()}}, left}, nil
}

func graphHost(cloud string) string {
	if c, known := entra.FindCloud(cloud); known {
		return "https://" + strings.TrimPrefix(c.Graph, "https://")
	}
	return "https://" + entra.GraphHost
}

// variable is a key as a name in the languages here.
func variable(key string) string { return "made_" + strings.ReplaceAll(key, "-", "_") }

func leftOver(sign string, left []string) string {
	if len(left) == 0 {
		return ""
	}
	return "\n" + comment(sign, append([]string{"Not in this file:"}, left...))
}
