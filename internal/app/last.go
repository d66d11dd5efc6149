//go:build !judge

package app

import (
	"bytes"
	"context"
	"slices"

	"partnerguard/internal/audit"
	"partnerguard/internal/trail"
)

// ofPosture are the beginnings of the lines that say something of them.
var ofPosture = [][]byte{[]byte(`"action":"exception.`), []byte(`"action":"attestation.`)}

// lastOf gives the newest action that the trail has of an exception or a statement, for
// all of them as of now. What was read is held to the trail's root.
func (i *Installation) lastOf(ctx context.Context) (func(string) (audit.Action, error), error) {
	if i.DB.Tx(ctx) != nil { // what it reads may never be committed: nothing of it is remembered
		return func(object string) (audit.Action, error) {
			f, err := i.Trail.Search(ctx, trail.Query{Object: object, Limit: 1})
			if err != nil || len(f.Entries) == 0 {
				return "", err
			}
			return f.Entries[0].Action, nil
		}, nil
	}
	all, err := i.words.now(ctx, i.Trail, func(line []byte) bool {
		return slices.ContainsFunc(ofPosture, func(b []byte) bool { return bytes.Contains(line, b) })
	}, func(e *trail.Entry) (string, bool) { return e.Object, true })
	return func(object string) (audit.Action, error) { return all[object], nil }, err
}
