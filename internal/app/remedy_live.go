//go:build !judge

package app

import (
	"bytes"
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/audit"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	remedyrun "partnerguard/internal/remedy/run"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/trail"
)

// makeRemedy makes what does plans.
func (i *Installation) makeRemedy() (err error) {
	d := remedyrun.Deps{DB: i.DB, Record: i.Trail, Actor: i.Actor, Now: i.Now, Log: i.Log, Config: &i.Config.Remedy,
		Gate: i.remedyGate, Expand: i.remedyExpand, Observed: i.remedyObserved, Who: i.remedyWho}
	if i.Vault != nil {
		d.Marks = i.Vault
		d.Verifiers = func(ctx context.Context) ([]note.Verifier, error) { return i.Keeper.Verifiers(ctx) }
	}
	if !i.look {
		d.Last = i.lastOfRemedy
	}
	if i.SAM != nil {
		d.Cloud = i.remedyCloud
	}
	i.Remedy, err = remedyrun.New(d)
	return err
}

// aboutRemedy begins the lines that say something of plans.
var aboutRemedy = []byte(`"action":"remedy.`)

// lastOfRemedy gives what the trail says last of a run. What was read was held to the
// trail's root.
func (i *Installation) lastOfRemedy(ctx context.Context) (remedyrun.Word, error) {
	all, err := i.remedyWords.now(ctx, i.Trail, func(line []byte) bool { return bytes.Contains(line, aboutRemedy) }, func(e *trail.Entry) ([2]string, bool) {
		return [2]string{e.Object, remedyrun.WordAbout(e.Action)}, remedyrun.Tells(e.Action, e.Details)
	})
	if err != nil {
		return nil, err
	}
	return func(run, about string) audit.Action { return all[[2]string{run, about}] }, nil
}

// remedyCloud is the way to a tenant by a connection that holds the permissions named: the
// one of the settings, else the one called remedy, else the first that does.
func (i *Installation) remedyCloud(ctx context.Context, tenant string, permissions []string) (*remedyrun.Cloud, error) {
	c, err := i.remedyConnection(ctx, permissions)
	if err != nil {
		return nil, err
	}
	out := &remedyrun.Cloud{Tenant: tenant, Actor: strings.ToLower(c.ObjectID)}
	if strings.EqualFold(c.Tenant, tenant) {
		out.Graph, err = i.SAM.Graph(c)
	} else {
		out.Graph, err = i.SAM.GraphOf(c, tenant)
	}
	return out, err
}

func (i *Installation) remedyConnection(ctx context.Context, permissions []string) (sam.Connection, error) {
	if name := i.Config.Remedy.Connection; name != "" {
		c, err := i.SAM.Connection(ctx, name)
		if err == nil {
			err = lacks(&c, permissions)
		}
		return c, err
	}
	list, err := i.SAM.Store.List(ctx)
	if err != nil {
		return sam.Connection{}, err
	}
	usual := cmp.Or(i.Config.Collect.Connection, "default")
	slices.SortStableFunc(list, func(a, b sam.Connection) int {
		// What was connected for this alone has the role besides the permission.
		return cmp.Or(cmp.Compare(rank(a.Name == sam.RemedyName), rank(b.Name == sam.RemedyName)), cmp.Compare(rank(a.Name == usual), rank(b.Name == usual)))
	})
	var first error
	for k := range list {
		err := lacks(&list[k], permissions)
		if err == nil {
			return list[k], nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = problem.New(problem.NotFound, "there is no connection yet").WithHint("partnerguard connect --name remedy --feature remedy")
	}
	return sam.Connection{}, first
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// appsAlone are permissions that the feature remedy does not bring, and remedy-apps does.
var appsAlone = []string{"RoleManagement.ReadWrite.Directory", "Application.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All",
	"AppRoleAssignment.ReadWrite.All", "Policy.ReadWrite.Authorization", "Policy.ReadWrite.ConsentRequest"}

// lacks says which permissions a connection does not hold.
func lacks(c *sam.Connection, permissions []string) error {
	missing := capture.Diff(c.Scopes, map[string][]string{c.Cloud.GraphResource: permissions}).Missing[c.Cloud.GraphResource]
	if len(missing) == 0 {
		return nil
	}
	feature := "remedy"
	if slices.ContainsFunc(missing, func(p string) bool { return slices.Contains(appsAlone, p) }) {
		feature = "remedy --feature remedy-apps"
	}
	return problem.New(problem.Forbidden, "the connection %s may not %s", c.Name, strings.Join(missing, ", ")).
		WithHint("connect once more, for this alone: partnerguard connect --name remedy --feature %s", feature)
}

// remedyWho says who changed an object last since a moment, by the directory's log as it is
// now, else as the archive has it.
func (i *Installation) remedyWho(ctx context.Context, c *remedyrun.Cloud, id string, since time.Time) (string, error) {
	filter := url.QueryEscape("activityDateTime ge " + since.UTC().Format(time.RFC3339) + " and targetResources/any(t:t/id eq '" +
		strings.ReplaceAll(id, "'", "''") + "')")
	var rows []posture.AuditRow
	for raw, err := range c.Graph.Items(ctx, "/v1.0/auditLogs/directoryAudits?$filter="+filter) {
		if err != nil {
			rows = nil
			break
		}
		if r, err := posture.ParseAudit(raw); err == nil {
			rows = append(rows, r)
		}
	}
	if rows == nil {
		var err error
		if rows, _, err = i.audits(ctx, c.Tenant, since, i.Now().Add(time.Minute)); err != nil {
			return "", err
		}
	}
	var last posture.AuditRow
	for k := range rows {
		r := &rows[k]
		ours := r.ByID != "" && strings.EqualFold(r.ByID, c.Actor)
		if !ours && r.By != "" && r.At.After(last.At) && slices.ContainsFunc(r.Targets, func(t posture.Target) bool { return strings.EqualFold(t.ID, id) }) {
			last = *r
		}
	}
	return last.By, nil
}

// SignPlan signs a plan by the key of the trail's checkpoints, and says whose that is.
func (i *Installation) SignPlan(ctx context.Context, p *remedy.Plan) (by string, err error) {
	signer, err := i.Trail.Signer(ctx, i.Vault)
	if err != nil {
		return "", err
	}
	return signer.Verifier().Name(), remedy.Sign(p, signer)
}
