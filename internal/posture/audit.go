package posture

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// AuditRow is one row of the directory's audit log: who did what to what. Changed
// names the properties that the row says were changed; since April 2026 a row carries
// those alone, so what it does not name was not therefore removed.
type AuditRow struct {
	ID       string
	At       time.Time
	Activity string
	Result   string // success, failure, timeout, unknownFutureValue; "" is not said
	By       string // user principal name, or an app's name
	ByID     string
	App      bool
	Targets  []Target
}

// Target is a thing that was done something to.
type Target struct {
	ID, Name, Type string
	Changed        []string
}

// Limits of a row, against what is hostile.
const (
	maxAuditRow = 1 << 20
	maxTargets  = 100
	maxChanged  = 200
)

// ParseAudit reads one directoryAudit record of Microsoft Graph. Missing members are
// not an error; a row without id or time is, of kind BadInput, as is one that is
// larger than 1 MiB.
func ParseAudit(raw []byte) (AuditRow, error) {
	if len(raw) > maxAuditRow {
		return AuditRow{}, problem.New(problem.Limit, "an audit row has more than %d bytes", maxAuditRow)
	}
	var v struct {
		ID       string `json:"id"`
		At       string `json:"activityDateTime"`
		Activity string `json:"activityDisplayName"`
		Result   string `json:"result"`
		By       struct {
			User *struct {
				ID   string `json:"id"`
				UPN  string `json:"userPrincipalName"`
				Name string `json:"displayName"`
			} `json:"user"`
			App *struct {
				AppID string `json:"appId"`
				Name  string `json:"displayName"`
				SP    string `json:"servicePrincipalId"`
			} `json:"app"`
		} `json:"initiatedBy"`
		Targets []struct {
			ID       string `json:"id"`
			Name     string `json:"displayName"`
			UPN      string `json:"userPrincipalName"`
			Type     string `json:"type"`
			Modified []struct {
				Name string `json:"displayName"`
			} `json:"modifiedProperties"`
		} `json:"targetResources"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return AuditRow{}, problem.Wrap(err, problem.BadInput, "an audit row is not readable")
	}
	at, err := time.Parse(time.RFC3339Nano, v.At)
	if err != nil || v.ID == "" {
		return AuditRow{}, problem.New(problem.BadInput, "an audit row has no id or no time")
	}
	clean := func(s string) string { return print.Clean(s, print.MaxName) }
	out := AuditRow{ID: clean(v.ID), At: at.UTC(), Activity: clean(v.Activity), Result: clean(v.Result)}
	switch {
	case v.By.User != nil && (v.By.User.ID != "" || v.By.User.UPN != ""):
		out.By, out.ByID = clean(or(or(v.By.User.UPN, v.By.User.Name), v.By.User.ID)), clean(v.By.User.ID)
	case v.By.App != nil:
		out.By, out.ByID, out.App = clean(or(or(v.By.App.Name, v.By.App.AppID), v.By.App.SP)), clean(or(v.By.App.AppID, v.By.App.SP)), true
	}
	for _, t := range v.Targets[:min(len(v.Targets), maxTargets)] {
		x := Target{ID: clean(t.ID), Name: clean(or(t.UPN, t.Name)), Type: clean(t.Type)}
		for _, m := range t.Modified[:min(len(t.Modified), maxChanged)] {
			x.Changed = append(x.Changed, clean(m.Name))
		}
		out.Targets = append(out.Targets, x)
	}
	return out, nil
}

// acts are the words that an activity has that can do what a cause says; none is any.
var acts = map[CauseKind][]string{
	PolicyEdited: {"update", "policy"}, PolicyAdded: {"add", "create", "restore"}, PolicyRemoved: {"delete", "remove"},
	AccountAdded: {"add user", "invite", "create", "restore", "redeem"}, AccountRemoved: {"delete"},
	AccountEnabled: {"enable", "update user"}, AccountDisabled: {"disable", "update user"},
	FactorLost:   {"security info", "authentication", "strongauth", "strong auth", "update user", "method"},
	FactorGained: {"security info", "authentication", "strongauth", "strong auth", "update user", "method"},
	RoleGiven:    {"role"}, RoleTaken: {"role"}, SettingChanged: nil,
}

// maxEdits bounds the acts named for one cause.
const maxEdits = 5

// credit says who did what a cause tells, by the audit log.
func (c *comparison) credit(x *Cause) {
	words, done := acts[x.Kind]
	if !done {
		return
	}
	var found []Edit
	for i := range c.edits {
		e := &c.edits[i]
		if e.Result != "" && !strings.EqualFold(e.Result, "success") || e.At.After(c.b.AsOf) || !e.concerns(x.Object) || !does(e.Activity, words) {
			continue
		}
		found = append(found, Edit{At: e.At, By: e.By, ByID: e.ByID, App: e.App, Activity: e.Activity, Audit: e.ID})
	}
	// An act of before the older judgement can be meant only where none came later.
	late := slices.DeleteFunc(slices.Clone(found), func(e Edit) bool { return !e.At.After(c.a.AsOf) })
	if len(late) > 0 {
		found = late
	}
	slices.SortStableFunc(found, func(a, b Edit) int { return b.At.Compare(a.At) })
	found = slices.CompactFunc(found, func(a, b Edit) bool { return a.Audit == b.Audit })
	x.Edits = found[:min(len(found), maxEdits)]
	switch {
	case len(found) == 1:
		x.Who = found[0].String()
	case len(found) > 1:
		x.Who = found[0].String() + ", and " + amount(len(found)-1, "1 more act", "%d more acts") + " before that"
	case c.audited:
		x.Who = "nobody is named: the directory's audit log was read for that time and has no row of it"
	default:
		x.Who = "who did it is not known: the directory's audit log was not read whole for that time"
	}
}

// String is an act in a clause.
func (e *Edit) String() string {
	who := or(e.By, "somebody the row does not name")
	if e.App {
		who = "the app " + who
	}
	return fmt.Sprintf("%s on %s (%s)", who, e.At.Format("2006-01-02 15:04 UTC"), e.Activity)
}

// concerns reports that a thing is among the targets.
func (r *AuditRow) concerns(id string) bool {
	return id != "" && slices.ContainsFunc(r.Targets, func(t Target) bool { return strings.EqualFold(t.ID, id) })
}

func does(activity string, words []string) bool {
	activity = strings.ToLower(activity)
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(activity, w) })
}
