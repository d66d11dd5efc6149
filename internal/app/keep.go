//go:build !judge

package app

import (
	"context"

	"partnerguard/internal/audit"
	"partnerguard/internal/posture"
	"partnerguard/internal/trail"
)

// makePosture makes what keeps posture: without the vault it holds no exception to its
// mark, and so none is in force.
func (i *Installation) makePosture() (err error) {
	d := posture.Deps{DB: i.DB, Now: i.Now, Config: &i.Config.Posture, Log: i.Log, Last: i.lastOf}
	if !i.look {
		d.Record = i.Trail
	}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	i.Posture, err = posture.New(d)
	return err
}

// lastOf is the newest action that the trail has of an object.
func (i *Installation) lastOf(ctx context.Context, object string) (audit.Action, error) {
	f, err := i.Trail.Search(ctx, trail.Query{Object: object, Limit: 1})
	if err != nil || len(f.Entries) == 0 {
		return "", err
	}
	return f.Entries[0].Action, nil
}
