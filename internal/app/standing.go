//go:build !judge

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/backup"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// Since is what an installation did after a backup of it, as its own trail says.
type Since struct {
	Entries int64                `json:"entries"`
	Until   time.Time            `json:"until"`   // of the newest
	Actions map[audit.Action]int `json:"actions"` // how often
	// Renewed are the renewals and new consents, by connection.
	Renewed map[string]Renewals `json:"renewed"`
	Acts    []Act               `json:"acts"` // the newest of the others that matter here, oldest first
}

// Renewals are how often a refresh token was replaced, and when last.
type Renewals struct {
	Times int       `json:"times"`
	Last  time.Time `json:"last"`
}

// Act is one entry that matters to who restores: what Microsoft knows of, and the
// backup does not.
type Act struct {
	Seq    int64        `json:"seq"`
	At     time.Time    `json:"at"`
	Action audit.Action `json:"action"`
	Object string       `json:"object,omitempty"`
	Tenant string       `json:"tenant,omitempty"`
	Name   string       `json:"name,omitempty"` // of a connection; an approval's id
}

// maxActs bounds the list; the counts are of all.
const maxActs = 1000

// matters are the acts that changed something at Microsoft, or who may have what.
var matters = []audit.Action{
	audit.ConnectionConsented, audit.ConnectionRejected, audit.ConnectionRemoved, audit.ConnectionRevoked,
	audit.CredentialCreated, audit.CredentialRemoved, audit.ConsentGranted, audit.ConsentRemoved,
	audit.ApprovalGiven, audit.ApprovalWithdrawn, audit.InvitationMade, audit.InvitationUsed, audit.InvitationWithdrawn,
	audit.VaultRotated, audit.VaultMasterChanged,
}

// standing is what is in the place that a backup is restored into.
type standing struct {
	used    bool
	another bool // an installation of its own: not the one of the backup
	since   *Since
	unknown string // why it is not known what happened since; "" where since is, or nothing is there
}

// look opens what stands in the place, and reads what it did after the backup.
func (i *Installation) standing(ctx context.Context, at string, b *backup.Backup) (standing, error) {
	const gone = "no newer database stands here that would say it"
	d, err := db.Peek(ctx, at)
	if errors.Is(err, problem.NotFound) {
		return standing{unknown: gone}, nil
	}
	if err != nil {
		if ctx.Err() != nil {
			return standing{}, ctx.Err()
		}
		return standing{used: true, unknown: "what stood here could not be read"}, nil
	}
	defer d.Close()
	filled, err := d.Filled(ctx)
	if err != nil {
		return standing{}, problem.Wrap(err, problem.BadInput, "the database %s cannot be read", d.Where())
	}
	ours := map[string]bool{}
	for _, t := range b.Tables {
		ours[t.Name] = true
	}
	s := standing{unknown: gone}
	s.used = slices.ContainsFunc(filled, func(t string) bool { return ours[t] && !ofTheFirstLook(t) })
	if !slices.Contains(filled, "trail_head") {
		return s, nil
	}
	tr, err := trail.Open(ctx, d, trail.Options{Now: i.Now})
	if err != nil {
		s.unknown = "the trail that stood here could not be read"
		return s, nil
	}
	origin, err := tr.Origin(ctx)
	if err != nil {
		s.unknown = "the trail that stood here could not be read"
		return s, nil
	}
	if s.another = origin != b.Trail.Origin; s.another {
		return s, nil
	}
	s.since, s.unknown, err = since(ctx, tr, b)
	return s, err
}

// since reads the entries after a backup, of a trail that went on from it.
func since(ctx context.Context, tr *trail.Trail, b *backup.Backup) (*Since, string, error) {
	head, err := tr.Head(ctx)
	if err != nil {
		return nil, "", err
	}
	if head.Seq < b.Trail.Entries {
		return nil, "the database that stood here is older than the backup", nil
	}
	root, err := tr.RootAt(ctx, b.Trail.Entries)
	if err != nil && !errors.Is(err, problem.Conflict) {
		return nil, "", err
	}
	if err != nil || root.String() != b.Trail.Root {
		return nil, fmt.Sprintf("the trail that stood here parted from the backup's before entry %d: one of them was restored or rewritten",
			b.Trail.Entries), nil
	}
	s := &Since{Actions: map[audit.Action]int{}, Renewed: map[string]Renewals{}, Acts: []Act{}}
	err = tr.Held(ctx, b.Trail.Entries, head.Seq, nil, func(e trail.Entry) {
		s.Entries, s.Until = s.Entries+1, e.At
		s.Actions[e.Action]++
		if e.Outcome == audit.Done && (e.Action == audit.ConnectionRenewed || e.Action == audit.ConnectionConsented) {
			s.Renewed[e.Object] = Renewals{s.Renewed[e.Object].Times + 1, e.At}
		}
		if e.Outcome != audit.Done && e.Action != audit.ConnectionRejected || !slices.Contains(matters, e.Action) {
			return
		}
		s.Acts = append(s.Acts, Act{Seq: e.Seq, At: e.At, Action: e.Action, Object: e.Object, Tenant: e.Tenant,
			Name: cmp.Or(e.Details["name"], e.Details["approval"])})
		if len(s.Acts) > maxActs {
			s.Acts = slices.Delete(s.Acts, 0, 1)
		}
	})
	if errors.Is(err, problem.Conflict) || errors.Is(err, problem.BadInput) {
		return nil, "the trail that stood here does not hold after the backup", nil
	}
	return s, "", err
}
