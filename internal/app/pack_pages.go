//go:build !judge

package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"partnerguard/internal/pack"
	"partnerguard/internal/pack/pages"
	"partnerguard/internal/problem"
)

// maxHanded bounds a pack that a page hands out, in bytes: it is held in memory.
const maxHanded = 64 << 20

// packFolder is where packs lie that the console made.
func (i *Installation) packFolder() string { return filepath.Join(i.Config.Data, "packs") }

// packPages are the console's pages of packs.
func (i *Installation) packPages() pager {
	p := &pages.Pages{List: i.Packs.List, Now: i.Now, Read: i.readPack}
	if i.Vault == nil {
		return p
	}
	p.Make = i.makePackHere
	p.Key = func(ctx context.Context) (string, error) {
		s, err := i.Trail.OpenSigner(ctx, i.Vault)
		if err != nil {
			return "", err
		}
		return s.Key(), nil
	}
	return p
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
	tenant, err := i.ArchiveTenant(ctx, o.Tenant)
	if err != nil {
		return nil, err
	}
	o.Tenant = tenant
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
