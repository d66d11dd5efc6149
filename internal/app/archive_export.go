//go:build !judge

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// ArchiveExport is what an export of the archive wrote.
type ArchiveExport struct {
	Dir      string      `json:"dir"`
	Tenant   string      `json:"tenant"`
	AsOf     time.Time   `json:"asOf,omitzero"`
	Position string      `json:"position,omitempty"`
	Files    int         `json:"files"`
	Lists    []view.List `json:"lists,omitempty"`
}

// ExportArchive writes the archive as of a moment into a new folder, as an export is.
func (i *Installation) ExportArchive(ctx context.Context, a Archived, dir string, progress func(done, total int64)) (ArchiveExport, error) {
	r := Reading{AsOf: a.AsOf, Since: a.Since, Now: i.Now()}
	a.Since = r.logsSince()
	v, err := i.Archived(ctx, a)
	if err != nil {
		return ArchiveExport{}, err
	}
	if err := i.tellGaps(ctx, v, a); err != nil {
		return ArchiveExport{}, err
	}
	if err := v.Export(ctx, dir, progress); err != nil {
		return ArchiveExport{}, err
	}
	return ArchiveExport{Dir: dir, Tenant: v.Tenant, AsOf: a.AsOf, Position: v.Position, Files: len(v.Names()), Lists: v.Lists}, nil
}

// tellGaps adds a file for each list that is not whole by the ledger, so that whoever
// reads the folder knows what the archive knows.
func (i *Installation) tellGaps(ctx context.Context, v *view.View, a Archived) error {
	inputs, err := i.gapInputs(ctx, v.Tenant, a)
	if err != nil {
		return err
	}
	return tellInputs(v, inputs)
}

func tellInputs(v *view.View, inputs []evidence.Input) error {
	for n := range inputs {
		text, err := json.MarshalIndent(struct {
			Gaps []evidence.Cut `json:"archiveGaps"`
		}{inputs[n].Cuts}, "", " ")
		if err != nil {
			return err
		}
		v.Tell("gaps/"+path.Base(inputs[n].Path)+".json", append(text, '\n'))
	}
	return nil
}

// rawLine is what is said of a page beside it.
type rawLine struct {
	File    string `json:"file"`
	Segment string `json:"segment"`
	archive.Page
}

// ExportPages writes every page as it was answered into a new folder. After an error
// what was written stays, and no pages.jsonl says what it is.
func (i *Installation) ExportPages(ctx context.Context, a Archived, dir string, progress func(done, total int64)) (x ArchiveExport, err error) {
	tenant, err := i.ArchiveTenant(ctx, a.Tenant)
	if err != nil {
		return x, err
	}
	x = ArchiveExport{Dir: dir, Tenant: tenant, AsOf: a.AsOf}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return x, problem.Wrap(err, problem.Unavailable, "the folder %s cannot be made", dir)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		return x, problem.Wrap(err, problem.Conflict, "the folder %s is not empty", dir).WithHint("name a new one")
	}
	at, err := os.OpenRoot(dir)
	if err != nil {
		return x, problem.Wrap(err, problem.Unavailable, "the folder %s cannot be opened", dir)
	}
	defer at.Close()
	index, err := at.OpenFile("pages.jsonl.part", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return x, problem.Wrap(err, problem.Unavailable, "pages.jsonl cannot be made")
	}
	defer index.Close()
	lines := json.NewEncoder(index)
	var done int64
	for s, err := range i.Archive.Segments(ctx, archive.Query{Tenant: tenant, From: a.Since, To: a.AsOf}) {
		if err != nil {
			return x, err
		}
		if !s.Removed.IsZero() {
			continue
		}
		err := i.Archive.Read(ctx, s, func(p *archive.Page) error {
			if !a.AsOf.IsZero() && p.At.After(a.AsOf) || p.At.Before(a.Since) {
				return nil
			}
			name := filepath.Join(p.Resource, fmt.Sprintf("%s-%06d.json", p.Run, p.Number))
			if err := at.MkdirAll(p.Resource, 0o700); err != nil {
				return problem.Wrap(err, problem.Unavailable, "the folder %s cannot be made", p.Resource)
			}
			if err := at.WriteFile(name, p.Body, 0o600); err != nil {
				return problem.Wrap(err, problem.Unavailable, "%s cannot be written", name).WithHint("is there room?")
			}
			x.Files++
			return lines.Encode(rawLine{filepath.ToSlash(name), s.Name, *p})
		}, nil)
		if err != nil {
			return x, err
		}
		if done += s.Size; progress != nil {
			progress(done, 0)
		}
	}
	if err := index.Close(); err != nil {
		return x, problem.Wrap(err, problem.Unavailable, "pages.jsonl cannot be written whole").WithHint("is there room?")
	}
	return x, at.Rename("pages.jsonl.part", "pages.jsonl")
}
