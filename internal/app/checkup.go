//go:build !judge

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/checkup"
	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// CheckUp looks at an installation as it stands: nothing is made, changed, asked of
// a person or recorded. What cannot be opened is looked at from outside. tell, if not
// nil, hears how much was looked at.
func CheckUp(ctx context.Context, o Options, offline bool, tell func(done, of int64)) (*checkup.Result, error) {
	o.Works = ""
	d := checkup.Deps{Now: o.Now, Offline: offline, Folder: o.Config.Data, Cert: o.Config.Web.TLSCertificate, Key: o.Config.Web.TLSKey, Tell: tell}
	var found []checkup.Finding
	i := newInstallation(o)
	if err := i.choose(ctx, o); err != nil {
		found = append(found, checkup.Finding{About: "cloud", Level: checkup.Bad, Text: err.Error(), Fix: problem.HintOf(err)})
	} else {
		c := i.Cloud
		d.Endpoints = []checkup.Endpoint{{Name: "Entra ID", Address: c.Authority}, {Name: "Microsoft Graph", Address: c.Graph},
			{Name: "Partner Center", Address: c.PartnerCenter}, {Name: "Azure Resource Manager", Address: c.ARM}}
		if d.OwnClock = i.lab != nil; d.OwnClock {
			d.Roots = i.lab.Roots
		}
	}
	d.Database = i.database()
	d.Files = i.rights()
	kept, err := Kept(ctx, o)
	switch {
	case err != nil:
		return nil, err
	case !kept:
		found = append(found, checkup.Finding{About: "database", Level: checkup.Warning, Text: "nothing is kept here yet",
			Fix: "partnerguard connect; or name where it is kept with --data"})
	default:
		p, err := db.Peek(ctx, d.Database)
		if err != nil {
			found = append(found, checkup.Finding{About: "database", Level: checkup.Bad, Text: err.Error(), Fix: problem.HintOf(err)})
			break
		}
		defer p.Close()
		d.DB, d.Backed = p, lastBackup{p}.at
		whole, err := Look(ctx, o)
		if err == nil {
			defer whole.Close()
			whole.offline = offline
			d.More = whole.looks()
		}
		found = append(found, i.key(ctx, p, err)...)
	}
	d.More = append(d.More, checkup.Check{About: "installation", Look: func(context.Context) ([]checkup.Finding, error) { return found, nil }})
	return checkup.Run(ctx, d)
}

// rights are the files whose rights matter.
func (i *Installation) rights() []checkup.File {
	c := i.Config
	list := []checkup.File{{Path: c.Data, What: "the data folder", Secret: true}, {Path: c.File(), What: "the settings file"},
		{Path: c.Broker.Policy, What: "the policy", Must: true}, {Path: c.Broker.ClientCA, What: "the callers' authorities", Must: true},
		{Path: c.Web.TLSKey, What: "the server's key", Secret: true, Must: true}}
	if at := i.database(); !strings.Contains(at, "://") {
		for _, more := range []string{"", "-wal", "-shm", ".lock"} {
			list = append(list, checkup.File{Path: at + more, What: "the database", Secret: true})
		}
	}
	return list // the master key apart: the vault says itself what is wrong with its rights
}

// key says where the master key is, and whether it opens the vault; err is what Look
// said.
func (i *Installation) key(ctx context.Context, d *db.DB, err error) (list []checkup.Finding) {
	say := func(level checkup.Level, fix, format string, args ...any) {
		list = append(list, checkup.Finding{About: "master key", Level: level, Text: fmt.Sprintf(format, args...), Fix: fix})
	}
	path, file := strings.CutPrefix(i.Config.MasterKey, "file:")
	if filled, ferr := d.Filled(ctx); ferr == nil && !slices.Contains(filled, vault.KeysetTable) {
		say(checkup.Well, "", "nothing is sealed here yet")
		return list
	}
	if _, serr := os.Stat(path); file && errors.Is(serr, fs.ErrNotExist) {
		if empty, eerr := d.Empty(ctx, vault.Tables()...); eerr == nil && !empty {
			say(checkup.Bad, "bring it back from where its copy is kept: no backup has it", "the master key %s is not there, and nothing sealed opens", path)
			return list
		}
	}
	switch {
	case err != nil && errors.Is(err, problem.NotFound) && !file:
		say(checkup.Unknown, problem.HintOf(err), "the installation was not opened: %s", err)
	case errors.Is(err, problem.NotFound):
		say(checkup.Unknown, problem.HintOf(err), "the vault was not opened: %s", err)
	case err != nil:
		say(checkup.Bad, problem.HintOf(err), "the vault does not open: %s", err)
	default:
		say(checkup.Well, "", "the master key opens the vault")
	}
	if !file {
		return list
	}
	data, derr := filepath.Abs(i.Config.Data)
	own, kerr := filepath.Abs(path)
	if rel, rerr := filepath.Rel(data, own); errors.Join(derr, kerr, rerr) == nil && filepath.IsLocal(rel) {
		say(checkup.Warning, "partnerguard vault master --to file:ELSEWHERE; a copy of the folder has both lock and key now",
			"the master key %s lies in the data folder", path)
	}
	return list
}

// looks are what features know of themselves.
func (i *Installation) looks() []checkup.Check {
	return []checkup.Check{{About: "connections", Look: i.lookConnections}, {About: "permissions", Look: i.lookScopes},
		{About: "app", Look: i.lookApps}, {About: "trail", Look: i.lookTrail},
		{About: "archive", Look: i.lookArchive}, {About: "readings", Look: i.lookGaps},
		{About: "factors", Look: i.lookFactors}}
}

func (i *Installation) lookConnections(ctx context.Context) (list []checkup.Finding, err error) {
	r, err := i.SAM.Renewer()
	if err != nil {
		return nil, err
	}
	rows, err := r.Status(ctx, sam.Heal)
	if err != nil {
		return nil, err
	}
	level := map[renew.Health]checkup.Level{renew.Dead: checkup.Bad, renew.Stopped: checkup.Bad, renew.Dying: checkup.Warning, renew.Unsure: checkup.Unknown}
	healthy := 0
	for _, row := range rows {
		l, ill := level[row.Health]
		if !ill {
			healthy++
			continue
		}
		f := checkup.Finding{Level: l, Text: "the connection " + row.Connection.Name + ": " + row.Words(), Fix: row.Heal}
		if f.Fix == "" {
			f.Fix = row.Fix
		}
		list = append(list, f)
	}
	if healthy > 0 {
		list = append(list, checkup.Finding{Level: checkup.Well, Text: fmt.Sprintf("%d of %d connections are healthy", healthy, len(rows))})
	}
	return list, nil
}

// lookScopes looks whether each connection may what every installation needs.
func (i *Installation) lookScopes(ctx context.Context) (list []checkup.Finding, err error) {
	all, err := i.SAM.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	needed, of := []capture.Feature{capture.Forecast}, "its end cannot be foretold whole"
	if t, err := i.Archive.Total(ctx); err != nil {
		return nil, err
	} else if t.Segments > 0 {
		needed, of = append(needed, capture.Collect), "what it lacks is not read, or its end not foretold whole"
	}
	whole := 0
	for _, c := range all {
		missing := capture.Diff(c.Scopes, capture.Permissions(needed).Needed(c.Cloud)).Missing
		if len(missing) == 0 {
			whole++
			continue
		}
		var names []string
		for _, scopes := range missing {
			names = append(names, scopes...)
		}
		slices.Sort(names)
		list = append(list, checkup.Finding{Level: checkup.Warning,
			Text: fmt.Sprintf("the connection %s lacks %s: %s", c.Name, strings.Join(names, ", "), of),
			Fix:  "allow the app these (partnerguard connect manifest), then consent again: " + sam.Heal(c)})
	}
	if whole > 0 {
		list = append(list, checkup.Finding{Level: checkup.Well,
			Text: fmt.Sprintf("%d of %d connections have the permissions that they need", whole, len(all))})
	}
	return list, nil
}

func (i *Installation) lookApps(ctx context.Context) (list []checkup.Finding, err error) {
	all, err := i.SAM.Store.Registrations(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.NotAfter.IsZero() && r.Certificate == "" {
			continue // it has no end that is known, or none at all
		}
		list = append(list, checkup.Ends("the "+string(r.Kind)+" of the app "+r.ClientID, r.NotAfter, i.Now(),
			"partnerguard connect app certificate --client-id "+r.ClientID+" --tenant "+r.Tenant+" --out new.pem"))
	}
	return list, nil
}

// lookTrail looks at the anchors, as they were when they were tried last.
func (i *Installation) lookTrail(ctx context.Context) (list []checkup.Finding, err error) {
	head, err := i.Trail.Head(ctx)
	if err != nil {
		return nil, err
	}
	places, err := i.Keeper.Anchors()
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return []checkup.Finding{{Level: checkup.Warning,
			Text: fmt.Sprintf("the audit trail (%d entries) has no anchor: who writes the database can cut it unseen", head.Seq),
			Fix:  "name one under anchors in the settings file: partnerguard config --help shows how"}}, nil
	}
	stand, err := i.Trail.Standings(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range places {
		name := a.Name()
		at := slices.IndexFunc(stand, func(s trail.Standing) bool { return s.Anchor == name })
		switch {
		case at < 0 || stand[at].At.IsZero() && stand[at].Failing.IsZero():
			list = append(list, checkup.Finding{Level: checkup.Warning,
				Text: "the anchor " + name + " was never given the trail", Fix: "partnerguard trail anchor"})
		case !stand[at].Failing.IsZero():
			list = append(list, checkup.Finding{Level: checkup.Bad, Text: fmt.Sprintf("the anchor %s does not take the trail since %s: %s", name,
				stand[at].Failing.UTC().Format(time.DateTime), stand[at].Reason), Fix: "partnerguard trail verify"})
		default:
			list = append(list, checkup.Finding{Level: checkup.Well,
				Text: fmt.Sprintf("the anchor %s has %d of the trail's %d entries", name, stand[at].Size, head.Seq)})
		}
	}
	return list, nil
}

// lookArchive looks whether pages are collected, and their place is reached.
func (i *Installation) lookArchive(ctx context.Context) ([]checkup.Finding, error) {
	a := i.Archive
	t, err := a.Total(ctx)
	if err != nil {
		return nil, err
	}
	if t.Segments == 0 {
		return []checkup.Finding{{Level: checkup.Well, Text: "nothing was collected yet; it would go to " + a.Where()}}, nil
	}
	list := []checkup.Finding{{Level: checkup.Well,
		Text: fmt.Sprintf("%d segments, the newest page of %s, at %s", t.Segments, t.Last.UTC().Format(time.DateTime), a.Where())}}
	if age := i.Now().Sub(t.Last); age > 2*24*time.Hour {
		list[0].Level, list[0].Fix = checkup.Warning, "partnerguard serve collects by itself; partnerguard db jobs says what is dead"
	}
	if i.offline && strings.Contains(a.Where(), "://") {
		return append(list, checkup.Finding{Level: checkup.Unknown, Text: "whether " + a.Where() + " is reached: nobody was asked"}), nil
	}
	if err := a.Ready(ctx); err != nil {
		list = append(list, checkup.Finding{Level: checkup.Bad, Text: err.Error(), Fix: problem.HintOf(err)})
	}
	return list, nil
}

// refusedFor are the reasons of gaps that somebody has to lift; the others but those of
// what was not read yet, or is not there, are of readings that did not come about.
var refusedFor = []evidence.GapReason{evidence.GapLicence, evidence.GapPermission, evidence.GapRole, evidence.GapMFA, evidence.GapConsent}

// lookGaps looks what was not read that should have been, where anything was read.
func (i *Installation) lookGaps(ctx context.Context) (list []checkup.Finding, err error) {
	if t, err := i.Archive.Total(ctx); err != nil || t.Segments == 0 {
		return nil, err
	}
	all, err := i.Collect.Gaps(ctx, "", i.Now())
	if err != nil {
		return nil, err
	}
	refused, late := []evidence.Gap{}, []evidence.Gap{}
	for _, g := range all {
		switch {
		case slices.Contains(refusedFor, g.Reason):
			refused = append(refused, g)
		case !slices.Contains([]evidence.GapReason{evidence.GapNever, evidence.GapAbsent, evidence.GapGone}, g.Reason):
			late = append(late, g)
		}
	}
	say := func(of []evidence.Gap, what string) {
		if len(of) > 0 {
			list = append(list, checkup.Finding{Level: checkup.Warning, Fix: "partnerguard gaps",
				Text: fmt.Sprintf("%d readings %s, the first %s of %s: %s", len(of), what, of[0].Resource, of[0].Tenant, of[0].Why)})
		}
	}
	say(late, "are late, failed or lost")
	say(refused, "are refused for want of a permission, role, licence or consent")
	if len(list) == 0 {
		list = append(list, checkup.Finding{Level: checkup.Well, Text: "everything that is read is read in time"})
	}
	return list, nil
}
