package directory

import (
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Audit is a row of the directory's audit log, as far as it is judged: the rows of
// app passwords (contracts-2026-11.md section 6), what deletes a policy or an account, and of
// the others only when they were written.
type Audit struct {
	ID       lenient.String `json:"id"`
	At       lenient.Time   `json:"activityDateTime"`
	Activity lenient.String `json:"activityDisplayName"`
	Result   lenient.String `json:"result"`
	By       struct {
		User *auditParty `json:"user"`
		App  *auditParty `json:"app"`
	} `json:"initiatedBy"`
	Targets lenient.List[auditParty] `json:"targetResources"`
	Source  evidence.Source          `json:"-"`
}

type auditParty struct {
	ID   lenient.String `json:"id"`
	UPN  lenient.String `json:"userPrincipalName"`
	Name lenient.String `json:"displayName"`
	Type lenient.String `json:"type"`
}

func (p *auditParty) called() string {
	for _, s := range []lenient.String{p.UPN, p.Name, p.ID} {
		if s != "" {
			return string(s)
		}
	}
	return ""
}

// AppPasswordAct is somebody's making or deleting an app password.
type AppPasswordAct struct {
	ID      string
	At      time.Time
	Created bool // else deleted
	Result  string
	User    string // object id of whose it is; "" is not said
	UPN     string
	By      string // who did it; "" is not said
	Source  evidence.Source
}

// Done reports an act that was carried out: a row that says nothing of its result
// may be one.
func (a *AppPasswordAct) Done() bool { return a.Result == "" || strings.EqualFold(a.Result, "success") }

// maxActs bounds the acts kept; a tenant of a partner has some hundreds.
const maxActs = 100_000

// AddAudit keeps what a row says of app passwords, once for each id, and of what was deleted
// (see [Directory.Deleted]). It reports
// false for such a row without an id or a time.
func (d *Directory) AddAudit(a *Audit) bool {
	if at := a.At.Time; a.At.Set && (d.AuditFirst.IsZero() || at.Before(d.AuditFirst)) {
		d.AuditFirst = at.UTC()
	}
	activity := strings.ToLower(strings.TrimSpace(string(a.Activity)))
	d.addDeletion(a, activity)
	if !strings.Contains(activity, "application password") && !strings.Contains(activity, "app password") {
		return true
	}
	act := AppPasswordAct{ID: string(a.ID), At: a.At.Time.UTC(), Created: strings.HasPrefix(activity, "create"), Result: string(a.Result), Source: a.Source}
	if !act.Created && !strings.HasPrefix(activity, "delete") {
		return true
	}
	if act.ID == "" || !a.At.Set {
		return false
	}
	for i := range a.Targets.Items {
		t := &a.Targets.Items[i]
		if t.Type == "" || strings.EqualFold(string(t.Type), "user") {
			act.User, act.UPN = strings.ToLower(string(t.ID)), string(t.UPN)
			break
		}
	}
	switch {
	case a.By.User != nil:
		act.By = a.By.User.called()
	case a.By.App != nil:
		act.By = a.By.App.called()
	}
	key := strings.ToLower(act.ID)
	if _, here := d.AppPasswordActs[key]; !here && len(d.AppPasswordActs) >= maxActs {
		return false
	}
	d.AppPasswordActs[key] = act
	return true
}
