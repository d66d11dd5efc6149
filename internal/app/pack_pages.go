//go:build !judge

package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"partnerguard/internal/jobs"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/pages"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// maxHanded bounds a pack that a page hands out, in bytes: it is held in memory.
const maxHanded = 64 << 20

// packFolder is where packs lie that the console made.
func (i *Installation) packFolder() string { return filepath.Join(i.Config.Data, "packs") }

// longestPack is after what a pack that is being made is given up.
const longestPack = 6 * time.Hour

// packAsks are the packs that the console's readers asked for.
func (i *Installation) packAsks() *pack.Asks {
	return &pack.Asks{Dir: filepath.Join(i.packFolder(), "asked"), Now: i.Now}
}

// packPages are the console's pages of packs. Without a queue what is asked for is refused.
func (i *Installation) packPages(q *jobs.Queue) pager {
	asks := i.packAsks()
	p := &pages.Pages{List: i.Packs.List, Now: i.Now, Read: i.readPack, Asks: func(context.Context) ([]*pack.Asked, error) { return asks.List() },
		Named: i.tenantNames}
	if i.Vault == nil {
		return p
	}
	p.Ask = func(ctx context.Context, o pack.Options, actor string) (*pack.Asked, error) {
		if q == nil {
			return nil, problem.New(problem.Unavailable, "nothing is made where no jobs are done")
		}
		return i.askPack(ctx, q, o, actor)
	}
	p.Key = func(ctx context.Context) (string, error) {
		s, err := i.Trail.OpenSigner(ctx, i.Vault)
		if err != nil {
			return "", err
		}
		return s.Key(), nil
	}
	return p
}

// tenantNames are the names of the tenants by their ids.
func (i *Installation) tenantNames(ctx context.Context) (map[string]string, error) {
	list, err := i.Collect.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(list))
	for k := range list {
		out[strings.ToLower(list[k].ID)] = print.First(list[k].Domain, list[k].Name)
	}
	return out, nil
}

// askPack has a job make a pack. What cannot be made at all is refused at once.
func (i *Installation) askPack(ctx context.Context, q *jobs.Queue, o pack.Options, actor string) (*pack.Asked, error) {
	tenant, err := i.ArchiveTenant(ctx, o.Tenant)
	if err != nil {
		return nil, err
	}
	if o.Tenant = tenant; o.From.After(i.Now()) {
		return nil, problem.New(problem.Usage, "the period begins %s, which is not yet", o.From.Format(time.DateOnly))
	}
	a := pack.AskOf(&o, actor, i.Now())
	if err := i.packAsks().Add(a); err != nil {
		return nil, err
	}
	_, err = q.Add(ctx, pack.MakeJob, pack.MakeArgs{Ask: a.ID}, jobs.Add{Bulk: true, Tries: 3})
	return a, err
}

// makeAsked makes what was asked for. It takes as long as it takes: what a job may is for
// others.
func (i *Installation) makeAsked(ctx context.Context, id string) error {
	work, stop := context.WithTimeout(context.WithoutCancel(ctx), longestPack)
	defer stop()
	defer context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) { // the program ends
			stop()
		}
	})()
	return i.packAsks().Work(work, id, func(ctx context.Context, a *pack.Asked, o pack.Options) (*pack.Made, error) {
		made, err := i.makePackHere(ctx, o, a.Actor)
		if err != nil {
			i.Log.WarnContext(ctx, "a pack that was asked for could not be made", "ask", a.ID, "because", err)
		}
		return made, err
	})
}

// makePackHere makes a pack that lies with the installation, under its own name.
func (i *Installation) makePackHere(ctx context.Context, o pack.Options, actor string) (*pack.Made, error) {
	dir := i.packFolder()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the folder of packs cannot be made")
	}
	part, err := os.MkdirTemp(dir, ".making-*") // its name is known when it is made
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the folder of packs cannot be written")
	}
	defer os.RemoveAll(part)
	o.Out = filepath.Join(part, "pack.zip")
	as := *i.Packs
	as.Actor = actor
	made, err := as.Make(ctx, o)
	if err != nil {
		return nil, err
	}
	to := filepath.Join(dir, made.Manifest.Name+".zip")
	if err := os.Link(o.Out, to); err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the pack cannot be kept as %s", to)
	}
	made.Path = to
	return made, nil
}

// readPack gives a pack that the console made.
func (i *Installation) readPack(_ context.Context, name string) ([]byte, error) {
	root, err := os.OpenRoot(i.packFolder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notHere(name)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the folder of packs cannot be read")
	}
	defer root.Close()
	info, err := root.Stat(name + ".zip")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notHere(name)
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil, problem.Wrap(err, problem.Unavailable, "the pack %s cannot be read", name)
	}
	if info.Size() > maxHanded {
		return nil, problem.New(problem.Limit, "the pack %s has %d MiB, more than a page hands out", name, info.Size()>>20).
			WithHint("take it from the folder packs of the installation's data")
	}
	return root.ReadFile(name + ".zip")
}

func notHere(name string) error {
	return problem.New(problem.NotFound, "the pack %s was made by a command, and lies where that was told", name)
}
