//go:build !judge

package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy/gate"
	remedyrun "partnerguard/internal/remedy/run"
)

// liveEntries lays over people whether those accounts are enabled now, and of this directory,
// that may be ways in: Global Administrators, and who applies the plan. One that is gone is
// none. A connection that may not be let read accounts leaves what was collected, and read says so.
func liveEntries(ctx context.Context, people map[string]gate.Person, users []access.Subject, a *remedyrun.Ask) (read bool, err error) {
	read = true
	for i := range users {
		u := &users[i]
		acts := a.Cloud.Actor != "" && (strings.EqualFold(u.ID, a.Cloud.Actor) || strings.EqualFold(u.Name, a.Cloud.Actor))
		if u.Anyone || u.Unidentified || u.ID == "" || !acts && !slices.Contains(u.Roles, entra.RoleGlobalAdministrator) {
			continue
		}
		id := strings.ToLower(u.ID)
		who := people[id]
		var is struct {
			Enabled *bool `json:"accountEnabled"`
			Synced  *bool `json:"onPremisesSyncEnabled"`
		}
		reply, err := a.Cloud.Graph.Read(ctx, "/v1.0/users/"+url.PathEscape(id)+"?$select=id,accountEnabled,onPremisesSyncEnabled")
		e, answered := errors.AsType[*msapi.APIError](err)
		switch {
		case answered && e.Status == http.StatusForbidden:
			return false, nil
		case answered && e.Status == http.StatusNotFound:
			who.Enabled = rehearse.KnownNo
			people[id] = who
			continue
		case err != nil:
			return false, err
		case json.Unmarshal(reply.Body, &is) != nil:
			return false, unreadableNow("an account")
		case is.Enabled == nil:
			read = false
			continue
		}
		if who.Enabled = rehearse.KnownNo; *is.Enabled {
			who.Enabled = rehearse.KnownYes
		}
		if who.Synced = rehearse.KnownNo; is.Synced != nil && *is.Synced { // null: it is not
			who.Synced = rehearse.KnownYes
		}
		people[id] = who
	}
	return read, nil
}
