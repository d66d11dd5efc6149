package export

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/remedy"
)

// PowerShell writes a plan as a script that needs one module, Microsoft.Graph.Authentication.
func PowerShell(p *remedy.Plan, stage remedy.Stage) (*Out, error) {
	s, err := at(p, stage)
	if err != nil {
		return nil, err
	}
	calls, left, err := s.calls()
	if err != nil {
		return nil, err
	}
	var scopes []string
	for _, c := range calls {
		if !c.request.None() {
			scopes = append(scopes, c.step.Permissions...)
		}
	}
	slices.Sort(scopes)
	scopes = slices.Compact(scopes)
	for i := range scopes {
		scopes[i] = quoted(scopes[i])
	}
	var b strings.Builder
	b.WriteString(comment("#", s.head()))
	b.WriteString("#Requires -Modules Microsoft.Graph.Authentication\nSet-StrictMode -Version Latest\n$ErrorActionPreference = 'Stop'\n\n")
	b.WriteString("$connect = @{ TenantId = " + quoted(p.Tenant.ID))
	if len(scopes) > 0 {
		b.WriteString("; Scopes = @(" + strings.Join(scopes, ", ") + ")")
	}
	b.WriteString("; NoWelcome = $true")
	if env := environments[p.Tenant.Cloud]; env != "" {
		b.WriteString("; Environment = " + quoted(env))
	}
	b.WriteString(" }\nConnect-MgGraph @connect\n")
	for _, c := range calls {
		b.WriteString("\n" + comment("#", about(c.step)))
		if c.request.None() {
			continue
		}
		path := "$uri = " + quoted(c.request.Path) + "\n"
		body := ""
		if len(c.request.Body) > 0 {
			// A line of JSON begins with a space, a brace or a bracket, so none ends the text.
			body = "$body = @'\n" + pretty(c.request.Body) + "\n'@\n"
		}
		for _, k := range s.keys(c.request.Path + body) {
			replace := ".Replace('{" + k + "}', $" + variable(k) + ")"
			if strings.Contains(c.request.Path, "{"+k+"}") {
				path = strings.TrimSuffix(path, "\n") + replace + "\n"
			}
			if strings.Contains(body, "{"+k+"}") {
				body += "$body = $body" + replace + "\n"
			}
		}
		b.WriteString(path + body)
		invoke := "Invoke-MgGraphRequest -Method " + c.request.Method + " -Uri $uri"
		if body != "" {
			invoke += " -Body $body -ContentType 'application/json'"
		}
		if c.step.Key != "" {
			invoke = "$" + variable(c.step.Key) + " = (" + invoke + " -OutputType PSObject).id"
		} else {
			invoke += " | Out-Null"
		}
		b.WriteString(invoke + "\nStart-Sleep -Seconds 2 # Conditional Access takes one request a second\n")
	}
	b.WriteString(leftOver("#", left))
	return &Out{[]File{{"apply.ps1", []byte(b.String())}}, left}, nil
}

// environments are the names of Connect-MgGraph for clouds that are not the public one.
var environments = map[string]string{"usgov": "USGov", "china": "China"}

// quoted is a text that PowerShell takes as it is. It takes typographic quotes for quotes.
func quoted(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("'‘’‚‛", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	return fmt.Sprintf("'%s'", b.String())
}
