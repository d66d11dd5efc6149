package signon

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/lenient"
	"partnerguard/internal/partnercloud/world"
)

// session reads a policy's session controls into the ruling.
func session(a *Attempt, id string, p *access.Policy, r *Ruling) {
	if p.SessionControls == nil {
		return
	}
	var raw struct {
		SessionControls struct {
			PersistentBrowser struct {
				IsEnabled bool   `json:"isEnabled"`
				Mode      string `json:"mode"`
			} `json:"persistentBrowser"`
		} `json:"sessionControls"`
	}
	if d := a.Tenant.Policies.Get(id); d != nil && json.Unmarshal(d.Raw, &raw) == nil && raw.SessionControls.PersistentBrowser.IsEnabled {
		r.Persistent = raw.SessionControls.PersistentBrowser.Mode
	}
	howOften(p.SessionControls, r)
}

// howOften reads a sign-in frequency into the ruling: the shortest holds.
func howOften(c *access.SessionControls, r *Ruling) {
	if c == nil || c.SignInFrequency == nil || !c.SignInFrequency.IsEnabled.True() {
		return
	}
	f := c.SignInFrequency
	if strings.EqualFold(string(f.Interval), "everyTime") {
		r.EveryTime = true
		r.Lifetimes = append(r.Lifetimes, world.Lifetime{Requirement: "signInFrequencyEveryTime", Detail: "Sign-in frequency: every time"})
		return
	}
	unit := time.Hour
	if strings.EqualFold(string(f.Type), "days") {
		unit = 24 * time.Hour
	}
	d := time.Duration(number(f.Value)) * unit
	if d > 0 && (r.Frequency == 0 || d < r.Frequency) {
		r.Frequency = d
	}
	r.Lifetimes = append(r.Lifetimes, world.Lifetime{Requirement: "signInFrequencyPeriodicReauthentication", Detail: fmt.Sprintf("Sign-in frequency: %s", d)})
}

func number(v lenient.Int) int64 { return v.Value }

// grantNames names a policy's controls as the log does.
func grantNames(p *access.Policy) []string {
	out := []string{}
	if p == nil || p.GrantControls == nil {
		return out
	}
	for _, c := range p.GrantControls.BuiltInControls {
		switch strings.ToLower(c) {
		case "block":
			out = append(out, "Block")
		case "mfa":
			out = append(out, "Mfa")
		case "compliantdevice":
			out = append(out, "RequireCompliantDevice")
		case "domainjoineddevice":
			out = append(out, "RequireDomainJoinedDevice")
		case "approvedapplication":
			out = append(out, "RequireApprovedApp")
		case "passwordchange":
			out = append(out, "PasswordChange")
		default:
			out = append(out, c)
		}
	}
	if p.GrantControls.Strength != nil {
		out = append(out, "Require authentication strength")
	}
	return out
}

func sessionNames(a *Attempt, id string) []string {
	out := []string{}
	p := a.Tenant.Policy(id)
	if p != nil && p.SessionControls != nil && p.SessionControls.SignInFrequency != nil && p.SessionControls.SignInFrequency.IsEnabled.True() {
		out = append(out, "SignInFrequency")
	}
	return out
}
