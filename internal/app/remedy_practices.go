package app

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/practice"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
)

// besideReading has what a reading of an archive knows beside the partner's own lists kept.
func besideReading(r *Reading) func() besidePractices {
	var kept besidePractices
	if open := r.Archive; open != nil {
		r.Archive = func(ctx context.Context, a Archived) (fs.FS, error) {
			f, err := open(ctx, a)
			kept, _ = f.(besidePractices)
			return f, err
		}
	}
	return func() besidePractices { return kept }
}

// withPractices adds the practices that are not met to what remedies are looked for, and what
// of their evidence plans are made of.
func (r *Remedies) withPractices(ctx context.Context, j *Judged, kept besidePractices) error {
	var own *practice.Own
	var folders []CustomerFolder
	var err error
	if kept != nil {
		if folders, own, err = kept.practicesBeside(ctx, j.Report.AsOf); err != nil {
			return err
		}
	}
	customers, err := customersRead(ctx, r.ask.Reading, j, folders)
	if err != nil {
		return err
	}
	report := j.practices(customers, own)
	for i := range report.Practices {
		q := &report.Practices[i]
		r.evidenceOf(q, j.Facts)
		if q.Verdict != assess.NotMet && q.Verdict != assess.Unknown {
			continue
		}
		u := find.Unmet{ID: q.ID, Title: q.Title, Verdict: string(q.Verdict), Reason: q.Reason, Action: q.Action, Command: q.Remedy.Command,
			Steps: q.Remedy.Steps, Check: q.Remedy.Check}
		if q.Verdict == assess.Unknown { // what to do about it is to find out
			u.Action, u.Settles = "", q.Settles
		}
		for k := range q.Evidence {
			e := &q.Evidence[k]
			u.About = append(u.About, find.About{ID: e.RecordID, Name: e.Subject, Why: e.Detail})
		}
		u.More = q.More
		r.in.Unmet = append(r.in.Unmet, u)
	}
	r.in.Reach = reachOf(j.Facts)
	return nil
}

// evidenceOf takes from a practice's evidence which accounts and apps are out of use.
func (r *Remedies) evidenceOf(q *practice.Row, f *facts.Facts) {
	if q.Verdict != assess.NotMet {
		return
	}
	for i := range q.Evidence {
		e := &q.Evidence[i]
		id := strings.ToLower(e.RecordID)
		switch q.ID {
		case "P12":
			if s := f.Directory.ServicePrincipals[id]; s != nil && remedy.Principal.IsID(id) && s.AccountEnabled.True() {
				r.in.Apps = append(r.in.Apps, find.App{ID: id, Name: e.Subject, Why: e.Detail})
			}
		case "P16":
			if u, is := r.in.Users[id]; is && !u.Disabled {
				u.Idle = e.Detail
				r.in.Users[id] = u
			}
		}
	}
}

// reachOf are the groups whose members work at customers, as access assignments name them.
func reachOf(f *facts.Facts) (out []find.Group) {
	groups := map[string]string{}
	for _, a := range f.Assignments {
		id := strings.ToLower(a.AccessContainer.ID)
		if !remedy.Group.IsID(id) || strings.EqualFold(string(a.Status), "deleted") {
			continue
		}
		groups[id] = id
		if g := f.Directory.Groups[id]; g != nil && g.DisplayName != "" {
			groups[id] = g.DisplayName
		}
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, find.Group{ID: id, Name: groups[id]})
	}
	return out
}

// one keeps the record of which a tenant has one.
func (k *readSettings) one(kind remedy.Kind, raw []byte) {
	k.objects[kind] = map[string]find.Read{"": {Raw: slices.Clone(raw)}}
}

// credentials keeps each credential of an application, by the id that plans know it by.
func (k *readSettings) credentials(of string, raw []byte) {
	var app struct {
		ID        string           `json:"id"`
		Name      string           `json:"displayName"`
		Passwords []map[string]any `json:"passwordCredentials"`
		Keys      []map[string]any `json:"keyCredentials"`
	}
	if json.Unmarshal(raw, &app) != nil {
		return
	}
	for kind, list := range map[string][]map[string]any{"password": app.Passwords, "key": app.Keys} {
		for _, c := range list {
			key, _ := c["keyId"].(string)
			id := of + "/" + strings.ToLower(app.ID) + "/" + strings.ToLower(key)
			if !remedy.Credential.IsID(id) {
				continue
			}
			kept := map[string]any{"type": kind, "app": app.Name}
			for _, name := range []string{"keyId", "displayName", "startDateTime", "endDateTime"} {
				if v, is := c[name]; is {
					kept[name] = v
				}
			}
			body, err := json.Marshal(kept)
			if err != nil {
				continue
			}
			if k.objects[remedy.Credential] == nil {
				k.objects[remedy.Credential] = map[string]find.Read{}
			}
			k.objects[remedy.Credential][id] = find.Read{Raw: body}
		}
	}
}

// disputed takes away what two copies say otherwise: it is read before it is changed.
func (k *readSettings) disputed(f *facts.Facts) {
	for kind, of := range map[evidence.Kind]remedy.Kind{evidence.AuthorizationPolicy: remedy.Authorization,
		evidence.AdminConsentPolicy: remedy.ConsentRequests} {
		if f.Disputed(kind) {
			delete(k.objects, of)
		}
	}
}
