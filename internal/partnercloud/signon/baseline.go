package signon

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Sign-ins that ask for baseline scopes alone are judged by another audience than the
// one that is asked (contracts-2026-11.md section 1.3).

// baselineSince is when policies for all resources with exclusions began to reach
// them.
var baselineSince = time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC)

// BaselineScopes reports scopes of Graph that are all baseline scopes; none at all is
// sign-in only, which is one too.
func BaselineScopes(scopes []string) bool {
	known := strings.Fields(`email offline_access openid profile User.Read User.Read.All User.ReadBasic.All People.Read People.Read.All
		GroupMember.Read.All Member.Read.Hidden`)
	return !slices.ContainsFunc(scopes, func(v string) bool {
		return !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, v) })
	})
}

// audience is the app that policies look at, and whether policies for all resources
// with exclusions let the attempt go, as all did once and do where the tenant says so.
func audience(a *Attempt, now time.Time) (app string, lets bool) {
	switch {
	case !a.Baseline:
		return a.Resource, false
	case now.Before(baselineSince) || a.Tenant.BaselineScopes == world.BaselineOff:
		return a.Resource, true
	}
	return entra.AppAADGraph, false
}

// excuses reports a policy that does not reach an attempt for baseline scopes: by the
// old rule one for all resources with exclusions, by the new one where the client
// itself is excluded, has a credential and wants sign-in alone.
func excuses(a *Attempt, p *access.Policy, lets bool) bool {
	if p == nil || !a.Baseline {
		return false
	}
	apps := p.Conditions.Applications
	if !slices.Contains(apps.IncludeApplications, "All") || len(apps.ExcludeApplications) == 0 {
		return false
	}
	return lets || a.SignInOnly && slices.ContainsFunc(apps.ExcludeApplications, func(id string) bool { return strings.EqualFold(id, a.AppID) })
}
